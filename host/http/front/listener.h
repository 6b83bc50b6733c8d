#pragma once
#include <Poco/Net/SocketAddress.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace orderd::http::front {

/// One line that says what to do.
class PortInUse : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The listening socket, and one descriptor in reserve: when the process has none left, the reserve is given
/// up to take the next connection and close it, so that clients are told instead of left hanging. [I/O
/// thread]
class Listener {
 public:
  /// Binds without SO_REUSEPORT: two hosts on one port would silently share its clients. Throws
  /// PortInUse, or std::runtime_error.
  Listener(const std::string& address, std::uint16_t port);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  struct Accepted {
    int fd = -1;
    Poco::Net::SocketAddress peer;
    bool surplus = false;  // it took the reserve: say no and close it, then call `refill_reserve`
  };
  /// Nothing when no connection waits, or none can be taken now: `exhausted()` then says so.
  std::optional<Accepted> accept();
  /// Out of descriptors, even of the reserve: do not try again at once.
  bool exhausted() const { return reserve_fd_ < 0; }
  void refill_reserve();
  void close();
  int fd() const { return fd_; }
  const Poco::Net::SocketAddress& address() const { return address_; }

 private:
  int fd_ = -1, reserve_fd_ = -1;
  Poco::Net::SocketAddress address_;
};

}  // namespace orderd::http::front
