#include "functional/support/cutting_proxy.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace orderd::test {
namespace {

constexpr int tick_ms = 50;

bool readable(int fd, int timeout_ms) {
  pollfd one{fd, POLLIN, 0};
  return ::poll(&one, 1, timeout_ms) > 0;
}

/// Everything of `text`, or false.
bool send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string receive(int fd) {
  std::array<char, 65536> buffer;
  const auto size = ::recv(fd, buffer.data(), buffer.size(), 0);
  return size <= 0 ? std::string() : std::string(buffer.data(), static_cast<std::size_t>(size));
}

}  // namespace

CuttingProxy::CuttingProxy(store::Connection& to)
    : host_(PQhost(to.raw())), port_(PQport(to.raw())), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("test proxy: cannot listen");
  own_port_ = ntohs(address.sin_port);
  accepting_ = std::thread([this] { accept_all(); });
}

CuttingProxy::~CuttingProxy() {
  ending_ = true;
  accepting_.join();
  for (auto& thread : serving_) thread.join();
  ::close(listener_);
}

std::string CuttingProxy::url(store::Connection& direct) const {
  return "host=127.0.0.1 port=" + std::to_string(own_port_) + " user=" + PQuser(direct.raw()) +
         " password='" + PQpass(direct.raw()) + "'" +
         " dbname=" + PQdb(direct.raw()) + " sslmode=disable gssencmode=disable";
}

void CuttingProxy::accept_all() {
  while (!ending_) {
    if (!readable(listener_, tick_ms)) continue;
    const int client = ::accept(listener_, nullptr, nullptr);
    if (client >= 0) serving_.emplace_back([this, client] { serve(client); });
  }
}

int CuttingProxy::connect_server() const {
  const bool local = host_.rfind("/", 0) == 0;
  const int fd = ::socket(local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un local_address{};
  local_address.sun_family = AF_UNIX;
  (host_ + "/.s.PGSQL." + port_).copy(local_address.sun_path, sizeof local_address.sun_path - 1);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port_)));
  const auto* name = local ? reinterpret_cast<sockaddr*>(&local_address) : reinterpret_cast<sockaddr*>(&address);
  if (::connect(fd, name, local ? sizeof local_address : sizeof address) != 0) throw std::runtime_error("test proxy: no server");
  return fd;
}

void CuttingProxy::serve(int client) {
  const int server = connect_server();
  using namespace std::string_view_literals;
  bool lose_answer = false;
  while (!ending_) {
    std::array<pollfd, 2> both{{{client, POLLIN, 0}, {server, POLLIN, 0}}};
    if (::poll(both.data(), both.size(), tick_ms) <= 0) continue;
    if (both[0].revents) {
      const std::string text = receive(client);
      const bool commits = text.find("commit\0"sv) != text.npos;
      if (text.empty()) break;
      if (commits && cut_ == Cut::before_commit) {
        cut_ = Cut::none;
        break;
      }
      lose_answer |= commits && cut_ == Cut::after_commit;
      if (!send_all(server, text)) break;
    }
    if (both[1].revents) {
      const std::string text = receive(server);
      // The last thing a pipeline's answer holds is ReadyForQuery, idle: COMMIT is done.
      if (lose_answer && text.size() >= 6 && text.substr(text.size() - 6) == "Z\0\0\0\5I"sv) {
        cut_ = Cut::none;
        break;
      }
      if (text.empty() || (!lose_answer && !send_all(client, text))) break;
    }
  }
  ::close(client);
  ::close(server);
}

}  // namespace orderd::test
