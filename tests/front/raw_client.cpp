#include "front/raw_client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <stdexcept>
#include <utility>
#include <vector>

namespace orderd::http::front::test {
namespace {

constexpr int patience_ms = 30'000;

int make_socket(int family) {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw std::runtime_error("test client: no socket");
  return fd;
}

}  // namespace

std::string Answer::field(const std::string& name) const {
  const auto found = fields.find(name);
  return found == fields.end() ? "" : found->second;
}

RawClient::RawClient(const To& to) {
  const bool v6 = std::string_view(to.address).find(':') != std::string_view::npos;
  fd_ = make_socket(v6 ? AF_INET6 : AF_INET);
  if (to.receive_buffer_bytes > 0)
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &to.receive_buffer_bytes, sizeof to.receive_buffer_bytes);
  const int one = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  sockaddr_in v4_address{};
  v4_address.sin_family = AF_INET;
  v4_address.sin_port = htons(to.port);
  sockaddr_in6 v6_address{};
  v6_address.sin6_family = AF_INET6;
  v6_address.sin6_port = htons(to.port);
  ::inet_pton(v6 ? AF_INET6 : AF_INET, to.address,
              v6 ? static_cast<void*>(&v6_address.sin6_addr) : static_cast<void*>(&v4_address.sin_addr));
  const auto* address =
      v6 ? reinterpret_cast<const sockaddr*>(&v6_address) : reinterpret_cast<sockaddr*>(&v4_address);
  if (::connect(fd_, address, v6 ? sizeof v6_address : sizeof v4_address) != 0) {
    ::close(fd_);
    throw std::runtime_error("test client: connection refused");
  }
}

RawClient::~RawClient() {
  if (fd_ >= 0) ::close(fd_);
}

RawClient::RawClient(RawClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), received_(std::move(other.received_)) {}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

void RawClient::send_bytewise(std::string_view bytes) {
  for (const char byte : bytes)
    if (!send({&byte, 1})) return;
}

void RawClient::shutdown_send() { ::shutdown(fd_, SHUT_WR); }

void RawClient::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(std::exchange(fd_, -1));
}

bool RawClient::receive() {
  pollfd waited{.fd = fd_, .events = POLLIN, .revents = 0};
  if (::poll(&waited, 1, patience_ms) <= 0) throw std::runtime_error("test client: nothing came in time");
  std::vector<char> bytes(64 * 1024);
  const ssize_t size = ::recv(fd_, bytes.data(), bytes.size(), 0);
  if (size <= 0) return false;
  received_.append(bytes.data(), static_cast<std::size_t>(size));
  return true;
}

Answer RawClient::answer(bool to_head) {
  std::size_t head_end;
  while ((head_end = received_.find("\r\n\r\n")) == received_.npos)
    if (!receive())
      throw std::runtime_error("test client: closed before an answer; got \"" + received_ + "\"");
  Answer answer;
  answer.head = received_.substr(0, head_end + 2);
  received_.erase(0, head_end + 4);
  answer.status = std::stoi(answer.head.substr(9, 3));
  for (std::size_t line = answer.head.find("\r\n") + 2; line < answer.head.size();) {
    const std::size_t end = answer.head.find("\r\n", line), colon = answer.head.find(": ", line);
    std::string name = answer.head.substr(line, colon - line);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    if (!answer.fields.emplace(name, answer.head.substr(colon + 2, end - colon - 2)).second)
      throw std::runtime_error("test client: two fields \"" + name + "\"");
    line = end + 2;
  }
  if (to_head || answer.status < 200 || answer.status == 204 || answer.status == 304) return answer;
  const std::size_t size = std::stoul(answer.fields.at("content-length"));
  while (received_.size() < size)
    if (!receive()) throw std::runtime_error("test client: closed within a body");
  answer.body = received_.substr(0, size);
  received_.erase(0, size);
  return answer;
}

Answer RawClient::ask(std::string_view request) {
  send(request);
  return answer(request.substr(0, 5) == "HEAD ");
}

std::string RawClient::rest() {
  while (receive()) {}
  return std::exchange(received_, {});
}

std::optional<std::string> RawClient::some(int timeout_ms) {
  pollfd waited{.fd = fd_, .events = POLLIN, .revents = 0};
  if (received_.empty() && ::poll(&waited, 1, timeout_ms) > 0) receive();
  if (received_.empty()) return std::nullopt;
  return std::exchange(received_, {});
}

}  // namespace orderd::http::front::test
