// How connections come in, and who is turned away.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "http/front/io_loop.h"

namespace orderd::http::front {
namespace {

constexpr int accepts_per_round_max = 256;
constexpr int accept_rounds_at_end_max = 64;

}  // namespace

bool IoLoop::accept_some() {
  for (int i = 0; i < accepts_per_round_max && listener_.fd() >= 0; ++i) {
    auto accepted = listener_.accept();
    if (!accepted) {
      if (listener_.exhausted()) pause_accepting();
      return false;
    }
    if (accepted->surplus) {
      turn_away(accepted->fd, "The server has no file descriptor left for this connection.");
      listener_.refill_reserve();
    } else {
      admit(std::move(*accepted));
    }
  }
  return listener_.fd() >= 0;
}

void IoLoop::admit(Listener::Accepted accepted) {
  if (connections_.size() - streams_ >= context_->options.connections_max)
    return turn_away(accepted.fd, "The server has as many connections as it takes.");
  auto connection = std::make_unique<Connection>();
  connection->fd = accepted.fd;
  connection->peer = accepted.peer;
  if (const auto host = connection->peer.host(); caps_.counts(host)) {
    const auto key = ConnectionLimits::key_of(host);
    if (!caps_.add(key))
      return turn_away(accepted.fd, "This address has as many connections as one may have.");
    connection->counted = key;
  }
  connection->index = connections_.size();
  connection->deadline_ms = monotonic_ms() + context_->options.idle_timeout_ms;
  connections_.push_back(std::move(connection));
  context_->connections.Increment();
  // If bytes are there already, the first edge follows at once.
  watch(accepted.fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, connections_.back().get());
}

void IoLoop::turn_away(int fd, std::string_view why) {
  context_->shed.Increment();
  const std::string bytes =
      context_->refuse({.status = 503, .code = code_of(503), .detail = why, .request_id = {}});
  // With luck the client reads it; nothing is waited for.
  [[maybe_unused]] const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(fd, SHUT_WR);
  ::close(fd);
}

void IoLoop::stop_accepting() {
  // Who has connected already was let in by the kernel, and has perhaps asked: closing would cut it off.
  for (int round = 0; round < accept_rounds_at_end_max && accepting_ && accept_some(); ++round) continue;
  accepting_ = false;
  forget(listener_.fd());
  listener_.close();
}

void IoLoop::pause_accepting() {
  forget(listener_.fd());
  accepting_ = false;
  log_warning("http",
              "Out of file descriptors: accepting pauses. Raise LimitNOFILE, or lower connections_max");
}

}  // namespace orderd::http::front
