#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderd::http::front {

/// How large a request may be. Beyond it: 414, 431 or 413.
struct MessageLimits {
  std::size_t head_bytes_max = 16 * 1024;
  std::size_t line_bytes_max = 8000;  // each line of the head, with its CR LF
  std::size_t fields_max = 100;
  std::size_t body_bytes_max = 256 * 1024;
  std::size_t chunk_line_bytes_max = 256;     // a chunk's size with its extensions
  std::size_t trailer_bytes_max = 4 * 1024;   // fields after a chunked body
  std::size_t framing_bytes_max = 64 * 1024;  // all chunk lines and trailers of one body
};

/// Why a request is refused: a status, the stable code of its problem document, and a sentence that says what
/// is wrong.
struct Refused {
  int status = 0;
  std::string_view code, why;
};

/// The stable code that goes with a status the front answers by itself, such as MALFORMED_REQUEST for 400.
std::string_view code_of(int status);

/// One HTTP/1.x request out of bytes, by RFC 9112 read strictly: what two parsers could understand
/// differently is refused, because that is how a request is smuggled past a proxy. Pure: no I/O, no clock.
/// One object reads one request; it does not move, so that the views it hands out stay valid as long as it
/// lives. [one thread at a time]
class Parser {
 public:
  enum class Result { more, complete, bad };
  using Field = std::pair<std::string_view, std::string_view>;

  explicit Parser(const MessageLimits& limits) : limits_(limits) {}
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  /// Takes what it can use from `bytes` and says in `used` how many; after `complete` the rest is the next
  /// request's. After `bad`, `refused()` says why, and nothing more can be read from this connection.
  [[nodiscard]] Result feed(std::string_view bytes, std::size_t& used);
  const Refused& refused() const { return refused_; }
  /// False while nothing but an empty line has come.
  bool begun() const { return !head_.empty(); }
  bool head_complete() const { return head_complete_; }

  // Valid once the head is complete.
  std::string_view method() const { return method_; }
  /// Origin form ("/path?query", also when the client sent "http://host/path?query"), or "*" for OPTIONS.
  std::string_view target() const { return target_; }
  int minor_version() const { return minor_version_; }
  /// In the order they came, values trimmed; without Content-Length, Transfer-Encoding and Expect.
  const std::vector<Field>& fields() const { return fields_; }
  /// The first of that name, in any case; "" if there is none.
  std::string_view field(std::string_view name) const;
  bool keep_alive() const { return keep_alive_; }
  bool expects_continue() const { return expects_continue_; }
  bool has_body() const { return chunked_ || has_length_; }
  /// Any byte of the body has arrived, its framing included: "100 Continue" would come too late.
  bool body_begun() const { return body_begun_; }
  /// Valid once the request is complete; trailers are checked and dropped.
  const std::string& body() const { return body_; }

 private:
  enum class ChunkStage { size, data, data_end, trailer };

  Result bad(int status, std::string_view why);
  Result feed_head(std::string_view bytes, std::size_t& used);
  Result feed_length(std::string_view bytes, std::size_t& used);
  Result feed_chunks(std::string_view bytes, std::size_t& used);
  Result take_chunk_line(std::string_view bytes, std::size_t& used);
  Result end_chunk_size();
  Result end_trailer();
  Result check_head();
  Result check_request_line(std::string_view line);
  Result check_target(std::string_view target);
  Result check_field(std::string_view name, std::string_view value);
  Result check_framing();

  const MessageLimits limits_;
  Refused refused_;
  std::string head_;            // everything up to and with the empty line
  std::size_t line_begin_ = 0;  // of the line being read, in head_
  bool skipped_empty_line_ = false, head_complete_ = false;

  std::string_view method_, authority_, host_;
  std::string target_;
  std::vector<Field> fields_;
  std::uint32_t seen_ = 0;  // bit i: the i-th field that must not be repeated was there
  int minor_version_ = 1;
  bool keep_alive_ = true, close_ = false, expects_continue_ = false;
  bool chunked_ = false, has_length_ = false, body_begun_ = false;

  std::uint64_t remaining_ = 0;  // of the body, or of the chunk being read
  ChunkStage chunk_stage_ = ChunkStage::size;
  std::string chunk_line_;
  std::size_t framing_bytes_ = 0, trailer_bytes_ = 0;
  std::string body_;
};

}  // namespace orderd::http::front
