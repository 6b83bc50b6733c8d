// TCP proxies in a process of their own, whose wires can be cut. Reads commands from its standard input, ends
// with it:
//
//   chaos_cutter PORT:TARGET_PORT...   all on 127.0.0.1; prints "ready"
//   cut PORT SECONDS                   ends all connections, and refuses new ones for that long
//   hang PORT SECONDS                  passes nothing on for that long; then goes on as if nothing had been
//
// A thread for each direction of a connection: much passes through, and waiting is what the kernel does well.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

int tcp_socket() { return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); }

/// A connection that came to us, and the one that was made for it.
struct Link {
  const int here, there;
  Link(int came, int made) : here(came), there(made) {}
  Link(const Link&) = delete;
  ~Link() {
    ::close(here);
    ::close(there);
  }
  void end() const {
    ::shutdown(here, SHUT_RDWR);
    ::shutdown(there, SHUT_RDWR);
  }
};

class Wire {
 public:
  Wire(int port, int target) : target_(target), listener_(tcp_socket()) {
    const sockaddr_in address = loopback(port);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, SOMAXCONN) != 0) {
      std::cerr << "chaos_cutter: port " << port << " cannot be listened on\n";
      std::exit(1);
    }
    std::thread([this] { accept_all(); }).detach();
  }

  void cut(Clock::duration time) {
    const std::lock_guard lock(mutex_);
    cut_until_ = Clock::now() + time;
    for (const auto& link : links_) link->end();
  }

  void hang(Clock::duration time) {
    const std::lock_guard lock(mutex_);
    hung_until_ = std::max(hung_until_, Clock::now() + time);
  }

 private:
  void accept_all() {
    for (;;) {
      const int here = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (here < 0) continue;
      const int there = tcp_socket();
      const auto link = std::make_shared<Link>(here, there);
      const sockaddr_in address = loopback(target_);
      const int on = 1;
      for (const int end : {here, there}) ::setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      if (::connect(there, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) continue;
      const std::lock_guard lock(mutex_);
      if (Clock::now() < cut_until_) continue;
      links_.insert(link);
      std::thread([this, link] { pass_on(link, link->here, link->there); }).detach();
      std::thread([this, link] { pass_on(link, link->there, link->here); }).detach();
    }
  }

  void pass_on(const std::shared_ptr<Link>& link, int from, int to) {
    std::array<char, 64 * 1024> bytes;
    ssize_t size = 0;
    while ((size = ::recv(from, bytes.data(), bytes.size(), 0)) > 0) {
      wait_while_hung();
      for (ssize_t sent = 0, once = 0; sent < size; sent += once)
        if ((once = ::send(to, bytes.data() + sent, static_cast<std::size_t>(size - sent), MSG_NOSIGNAL)) <=
            0)
          break;
    }
    wait_while_hung();  // nor does an end pass
    link->end();
    const std::lock_guard lock(mutex_);
    links_.erase(link);
  }

  void wait_while_hung() {
    std::unique_lock lock(mutex_);
    while (Clock::now() < hung_until_) {
      const auto until = hung_until_;
      lock.unlock();
      std::this_thread::sleep_until(until);
      lock.lock();
    }
  }

  const int target_, listener_;
  std::mutex mutex_;
  Clock::time_point cut_until_{}, hung_until_{};  // guarded by mutex_
  std::set<std::shared_ptr<Link>> links_;         // guarded by mutex_
};

}  // namespace

int main(int count, char** words) {
  std::map<int, std::unique_ptr<Wire>> wires;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const auto colon = word.find(':');
    const int port = std::stoi(word.substr(0, colon));
    wires[port] = std::make_unique<Wire>(port, std::stoi(word.substr(colon + 1)));
  }
  std::cout << "ready" << std::endl;
  std::string verb;
  int port = 0;
  double seconds = 0;
  while (std::cin >> verb >> port >> seconds) {
    const auto time = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    verb == "cut" ? wires.at(port)->cut(time) : wires.at(port)->hang(time);
  }
  std::_Exit(0);
}
