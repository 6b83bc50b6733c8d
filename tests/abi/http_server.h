#pragma once
// A server of one fixed answer, on loopback: each request with a body is answered with the same bytes.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace orderd::plugins {

class HttpServer {
 public:
  /// "" is no answer at all. `hang_up`: the connection ends behind the answer.
  explicit HttpServer(std::string answer, bool hang_up = false)
      : answer_(std::move(answer)), hang_up_(hang_up) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&at), size) != 0 || listen(listener_, 16) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
      throw std::runtime_error("no port for the test's server");
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~HttpServer() {
    stopping_ = true;
    thread_.join();
    close(listener_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int connections() const { return connections_; }
  std::string last_request() const {
    std::lock_guard lock(mutex_);
    return last_;
  }

 private:
  static constexpr int look_again_ms = 20;

  void run() {
    std::vector<pollfd> sockets{{listener_, POLLIN, 0}};
    while (!stopping_) {
      if (poll(sockets.data(), sockets.size(), look_again_ms) <= 0) continue;
      for (std::size_t i = sockets.size(); i-- > 1;)
        if (sockets[i].revents != 0 && !serve(sockets[i].fd)) {
          close(sockets[i].fd);
          sockets.erase(sockets.begin() + static_cast<std::ptrdiff_t>(i));
        }
      if (sockets[0].revents == 0) continue;
      sockets.push_back({accept(listener_, nullptr, nullptr), POLLIN, 0});
      ++connections_;
    }
    for (std::size_t i = 1; i < sockets.size(); ++i) close(sockets[i].fd);
  }
  /// Requests of these tests are small and come whole. False: the connection is over.
  bool serve(int socket) {
    char bytes[8192];
    const ssize_t size = recv(socket, bytes, sizeof bytes, 0);
    if (size <= 0) return false;
    {
      std::lock_guard lock(mutex_);
      last_.assign(bytes, static_cast<std::size_t>(size));
    }
    const bool sent = send(socket, answer_.data(), answer_.size(), MSG_NOSIGNAL) >= 0;
    return sent && !hang_up_;
  }

  const std::string answer_;
  const bool hang_up_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  std::string last_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace orderd::plugins
