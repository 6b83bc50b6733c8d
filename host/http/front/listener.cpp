#include "http/front/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include "http/front/connection_limits.h"

namespace orderd::http::front {
namespace {

constexpr int backlog_connections_max = 4096;

void set_option(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

[[noreturn]] void cannot_listen(const std::string& address, std::uint16_t port, int error) {
  const std::string what = "port " + std::to_string(port), where = " on " + address;
  if (error == EADDRINUSE)
    throw PortInUse(
        "http.port: " + what + " is in use" + where +
        ": another program listens there, perhaps another orderd; stop it or choose another port");
  if (error == EACCES)
    throw std::runtime_error("http.port: " + what + where +
                             " may not be bound by this user: ports below 1024 need a privilege");
  if (error == EADDRNOTAVAIL)
    throw std::runtime_error("http.address: address " + address +
                             " is none of this machine's; listen on one of its own, or on 0.0.0.0");
  throw std::runtime_error("http.address: cannot listen on " + what + where + ": " +
                           std::generic_category().message(error));
}

/// An IPv4 client of a socket that takes both kinds comes as ::ffff:a.b.c.d.
Poco::Net::SocketAddress peer_of(const sockaddr_storage& storage, socklen_t size) {
  if (storage.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      sockaddr_in v4{};
      v4.sin_family = AF_INET;
      v4.sin_port = v6.sin6_port;
      std::memcpy(&v4.sin_addr, v6.sin6_addr.s6_addr + 12, 4);
      return {reinterpret_cast<const sockaddr*>(&v4), sizeof v4};
    }
  }
  return {reinterpret_cast<const sockaddr*>(&storage), size};
}

}  // namespace

Listener::Listener(const std::string& address, std::uint16_t port) {
  const auto ip = parse_ip(address);
  if (!ip)
    throw std::runtime_error("http.address: \"" + address +
                             "\" is no IP address; write one like 127.0.0.1, 0.0.0.0 or ::");
  const Poco::Net::SocketAddress wanted(*ip, port);
  fd_ = ::socket(wanted.af(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) cannot_listen(address, port, errno);
  set_option(fd_, SOL_SOCKET, SO_REUSEADDR, 1);
  if (wanted.af() == AF_INET6) set_option(fd_, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (::bind(fd_, wanted.addr(), wanted.length()) != 0 || ::listen(fd_, backlog_connections_max) != 0) {
    const int error = errno;
    close();
    cannot_listen(address, port, error);
  }
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(fd_, reinterpret_cast<sockaddr*>(&bound), &size);
  address_ = Poco::Net::SocketAddress(reinterpret_cast<const sockaddr*>(&bound), size);
  refill_reserve();
}

Listener::~Listener() {
  close();
  if (reserve_fd_ >= 0) ::close(reserve_fd_);
}

void Listener::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void Listener::refill_reserve() {
  if (reserve_fd_ < 0) reserve_fd_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

std::optional<Listener::Accepted> Listener::accept() {
  bool surplus = false;
  for (;;) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    const int fd = ::accept4(fd_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
      return Accepted{.fd = fd, .peer = peer_of(peer, size), .surplus = surplus};
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if ((errno != EMFILE && errno != ENFILE) || reserve_fd_ < 0) {
      if (surplus) refill_reserve();
      return std::nullopt;
    }
    ::close(reserve_fd_);
    reserve_fd_ = -1;
    surplus = true;
  }
}

}  // namespace orderd::http::front
