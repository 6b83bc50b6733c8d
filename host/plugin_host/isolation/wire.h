#pragma once
// What crosses the socket between the host and the process of an isolated plugin: frames of a length, a kind
// and fields, in the byte order of the machine, for both ends are one build of one host. Neither end believes
// the other: a frame that makes no sense ends the connection. Pure.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugin_host/isolation/messages.h"

namespace orderd::plugins::isolation {

enum class Frame : std::uint8_t {
  // from the host
  begin = 1,     // Begin
  start = 2,     //
  stop = 3,      //
  execute = 4,   // commands
  webhook = 5,   // number, request
  supports = 6,  // action
  ping = 7,      //
  // from the plugin's process
  hello = 20,            // Hello
  started = 21,          // problem, "" for none
  outcomes = 23,         // completions
  webhook_answer = 24,   // number, result
  supports_answer = 25,  // action, 0 or 1
  pong = 26,             // the plugin's metrics
};
/// Of one frame from the host, and of one from the plugin's process, which is not believed: a sender of
/// outcomes begins another frame before it comes near that.
inline constexpr std::size_t frame_bytes_max = std::size_t{64} << 20;
inline constexpr std::size_t plugin_frame_bytes_max = std::size_t{8} << 20;

/// Where the runner finds its end of the socket, and the library's bytes.
inline constexpr int socket_number = 3, library_number = 4;

/// Builds a frame's fields.
class Out {
 public:
  Out& u8(std::uint8_t value) { return number(&value, sizeof value); }
  Out& u32(std::uint32_t value) { return number(&value, sizeof value); }
  Out& i64(std::int64_t value) { return number(&value, sizeof value); }
  Out& text(std::string_view value);
  /// As they are in memory.
  Out& number(const void* from, std::size_t size);
  /// With length and kind in front.
  std::string frame(Frame kind) const;
  /// As another one built them.
  Out& bytes(std::string_view fields);
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// Reads them; after the first thing that is not there everything is empty, and ok() false.
class In {
 public:
  explicit In(std::string_view bytes) : rest_(bytes) {}
  std::uint8_t u8();
  std::uint32_t u32();
  std::int64_t i64();
  std::string text();
  /// A count of things that take at least `bytes_each`.
  std::size_t count(std::size_t bytes_each);
  bool number(void* to, std::size_t size);
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && rest_.empty(); }
  /// What was read cannot be.
  void spoil();

 private:
  std::string_view rest_;
  bool ok_ = true;
};

/// The fields of Begin, Hello, Outcome, Answered, WebhookRequest or WebhookResult.
template <class T>
void write(Out& out, const T& of);
/// After the first thing that is not there the rest is as T{} has it; see In::ok().
template <class T>
T read(In& in);
void write_command(Out& out, const Command& command);
Command read_command(In& in);

}  // namespace orderd::plugins::isolation
