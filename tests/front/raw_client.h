#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace orderd::http::front::test {

/// One response as it came. Field names in lower case.
struct Answer {
  int status = 0;
  std::string head, body;
  std::map<std::string, std::string> fields;
  std::string field(const std::string& name) const;
};

/// A TCP connection to this machine that sends any bytes and reads strictly framed answers. Reads fail the
/// test after a bound. Owned by one test; one thread at a time.
class RawClient {
 public:
  struct To {
    std::uint16_t port;
    const char* address = "127.0.0.1";
    int receive_buffer_bytes = 0;  // 0: the system's
  };
  explicit RawClient(const To& to);
  explicit RawClient(std::uint16_t port) : RawClient(To{.port = port}) {}
  ~RawClient();
  RawClient(RawClient&& other) noexcept;
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  /// False if the server has closed or reset already; what could be sent is sent.
  bool send(std::string_view bytes);
  /// Each byte in a segment of its own.
  void send_bytewise(std::string_view bytes);
  void shutdown_send();
  /// Closes with a reset.
  void reset();
  /// The next answer. `to_head`: it has no body, whatever its Content-Length says.
  Answer answer(bool to_head = false);
  Answer ask(std::string_view request);
  /// Everything until the server closes; a reset is the end, too.
  std::string rest();
  /// Some bytes that have come, or nothing if none come within `timeout_ms`.
  std::optional<std::string> some(int timeout_ms);
  bool closed_by_server() { return rest().empty(); }

 private:
  bool receive();
  int fd_;
  std::string received_;
};

}  // namespace orderd::http::front::test
