#include "plugin_host/isolation/channel.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace orderd::plugins::isolation {
namespace {

/// With no more than this in the socket a frame is taken whole: Linux gives one 208 KB by default.
constexpr std::size_t at_once_bytes_max = 65536;

}  // namespace

Channel::~Channel() { ::close(descriptor_); }

bool Channel::send(const std::string& frame) {
  std::lock_guard lock(sending_);
  return send_all(frame);
}

bool Channel::send_at_once(const std::string& frame) {
  const std::unique_lock lock(sending_, std::try_to_lock);
  int unread = 0;
  if (!lock || ioctl(descriptor_, SIOCOUTQ, &unread) != 0 ||
      static_cast<std::size_t>(unread) + frame.size() > at_once_bytes_max)
    return false;
  const ssize_t count = ::send(descriptor_, frame.data(), frame.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count <= 0) return false;
  // A frame that was begun must be whole.
  return send_all(std::string_view(frame).substr(static_cast<std::size_t>(count)));
}

bool Channel::send_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

bool Channel::read_all(char* to, std::size_t size) {
  while (size > 0) {
    if (from_ == until_) {
      const ssize_t count = ::recv(descriptor_, read_.data(), read_.size(), 0);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return false;
      from_ = 0;
      until_ = static_cast<std::size_t>(count);
    }
    const std::size_t part = std::min(size, until_ - from_);
    std::memcpy(to, read_.data() + from_, part);
    from_ += part;
    to += part;
    size -= part;
  }
  return true;
}

std::optional<Received> Channel::receive() {
  std::uint32_t size = 0;
  if (!read_all(reinterpret_cast<char*>(&size), sizeof size) || size == 0 || size > received_bytes_max_)
    return std::nullopt;
  std::uint8_t kind = 0;
  if (!read_all(reinterpret_cast<char*>(&kind), sizeof kind)) return std::nullopt;
  Received received{static_cast<Frame>(kind), std::string(size - 1, '\0')};
  if (!read_all(received.fields.data(), received.fields.size())) return std::nullopt;
  return received;
}

void Channel::close() { ::shutdown(descriptor_, SHUT_RDWR); }

}  // namespace orderd::plugins::isolation
