#pragma once
// One end of the socket: whole frames in and out.
#include <array>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "plugin_host/isolation/wire.h"

namespace orderd::plugins::isolation {

struct Received {
  Frame kind{};
  std::string fields;
};

/// One thread reads, any may write.
class Channel {
 public:
  /// Owns the descriptor of a connected stream socket. A longer frame than that is none.
  Channel(int descriptor, std::size_t received_bytes_max)
      : descriptor_(descriptor), received_bytes_max_(received_bytes_max) {}
  ~Channel();
  Channel(const Channel&) = delete;

  /// Waits while the other end does not read. False: the other end is gone.
  bool send(const std::string& frame);
  /// If that needs no waiting; else nothing is sent. False: not sent.
  bool send_at_once(const std::string& frame);
  /// nullopt: the other end is gone, or sent what is no frame.
  std::optional<Received> receive();
  /// Wakes both, for good. [any thread]
  void close();

 private:
  bool send_all(std::string_view bytes);  // sending_ is held
  bool read_all(char* to, std::size_t size);
  const int descriptor_;
  const std::size_t received_bytes_max_;
  std::mutex sending_;
  std::array<char, 16384> read_;  // what was read and belongs to the next frames; the reading thread's
  std::size_t from_ = 0, until_ = 0;
};

}  // namespace orderd::plugins::isolation
