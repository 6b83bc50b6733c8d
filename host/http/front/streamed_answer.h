#pragma once
#include <cstddef>
#include <memory>
#include <string>

namespace orderd::http::front {

class Exchange;

/// What one client may leave unread.
struct StreamLimits {
  std::size_t unsent_bytes_max = 64 * 1024;  // when as much waits, nothing more is taken: the stream ends
  int stall_timeout_ms = 30'000;             // without the client taking a waiting byte
  int send_buffer_bytes = 32 * 1024;         // SO_SNDBUF: small, so that a slow client is noticed
};

/// The answer to one request as it goes on and on, made by Request::stream_answer(): behind the head follows
/// what is appended, in order, until somebody ends it. The connection closes with it. The front never
/// waits for a client: what it does not take is kept up to the limits, then the stream ends. Dropping the
/// handle ends it, too. [any thread]
class StreamedAnswer {
 public:
  using Bytes = std::shared_ptr<const std::string>;  // shared by all streams that get the same
  enum class State {
    open,
    ended,  // by its owner; what was appended before is still sent
    gone,   // the client closed, or the front did
    slow,   // the client did not read
  };

  explicit StreamedAnswer(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  StreamedAnswer(StreamedAnswer&&) noexcept = default;
  StreamedAnswer& operator=(StreamedAnswer&&) = delete;
  ~StreamedAnswer();

  /// Without effect once the stream is not open any more.
  void append(Bytes bytes);
  void end();
  State state() const;

 private:
  std::shared_ptr<Exchange> exchange_;
};

}  // namespace orderd::http::front
