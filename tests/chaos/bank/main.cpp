// chaos_bank: a bank in a process of its own, for the campaign against real hosts (README of tests/chaos).
// One thread: reads all that came, decides, syncs its ledger once, then answers.
//
//   chaos_bank --ledger FILE --port N [--seed N] [--key-window-ms N] [--calm]
//              [--webhook-ports N,N --webhook-path P --webhook-secret S]
//
// Protocol: one JSON object a line over TCP on 127.0.0.1. Requests {"id","op","key","payment",…} with op
// authorize, capture, void, refund, query (`key` is the one asked for), list, or calm (faults end). Answers
// {"id","outcome":"DONE|DECLINED|RETRY|PENDING","code","totals":[authorized,captured,refunded,voided]};
// of a query "found":"FOUND" or "outcome":"YET|FINAL".
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <rapidjson/document.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <iostream>
#include <memory>
#include <sstream>

#include "teller.h"
#include "webhooks.h"

namespace bank {
namespace {

constexpr int wait_max_ms = 200;

struct Options {
  std::string ledger;
  int port = 0;
  Faults faults;
  WebhookTarget webhooks;
};

struct Connection {
  int socket = -1;
  std::string in, out;
  bool cut = false;
};

class Server {
 public:
  explicit Server(const Options& options)
      : ledger_(options.ledger),
        webhooks_(options.webhooks, options.faults.seed),
        teller_(
            ledger_, options.faults,
            [this](std::uint64_t connection, const std::string& line) {
              if (const auto found = connections_.find(connection); found != connections_.end())
                found->second.out += line;
            },
            [this](const Event& event) { to_tell_.push_back(event); }) {
    to_tell_ = ledger_.untold();
    listen_on(options.port);
  }

  void run() {
    for (;;) turn();
  }

 private:
  void listen_on(int port) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const sockaddr_in at = loopback(port);
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 ||
        ::listen(listener_, 64) != 0)
      throw std::runtime_error("port " + std::to_string(port) + ": " + std::strerror(errno));
  }

  void turn() {
    std::vector<pollfd> sockets{{listener_, POLLIN, 0}};
    std::vector<std::uint64_t> ids;
    for (const auto& [id, one] : connections_) {
      sockets.push_back({one.socket, static_cast<short>(POLLIN | (one.out.empty() ? 0 : POLLOUT)), 0});
      ids.push_back(id);
    }
    ::poll(sockets.data(), sockets.size(), wait_ms());
    for (std::size_t i = 0; i < ids.size(); ++i)
      if (sockets[i + 1].revents & (POLLIN | POLLHUP | POLLERR)) read(ids[i]);
    if (sockets[0].revents & POLLIN) accept();
    const std::int64_t now = now_ms();
    next_ms_ = teller_.due(now);
    for (; !later_.empty() && later_.begin()->first <= now; later_.erase(later_.begin()))
      if (const auto found = connections_.find(later_.begin()->second.first); found != connections_.end())
        found->second.out += later_.begin()->second.second;
    for (const std::string& id : webhooks_.taken()) ledger_.told(id);
    ledger_.sync();
    for (const Event& event : to_tell_) webhooks_.tell(event);
    to_tell_.clear();
    for (auto& [id, one] : connections_) write(one);
    std::erase_if(connections_, [](auto& one) {
      if (one.second.cut) ::close(one.second.socket);
      return one.second.cut;
    });
  }

  int wait_ms() const {
    std::int64_t next = next_ms_;
    if (!later_.empty()) next = next == 0 ? later_.begin()->first : std::min(next, later_.begin()->first);
    if (next == 0) return wait_max_ms;
    return static_cast<int>(std::clamp<std::int64_t>(next - now_ms(), 0, wait_max_ms));
  }

  void accept() {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket < 0) return;
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections_[++last_id_].socket = socket;
  }

  void read(std::uint64_t id) {
    Connection& from = connections_[id];
    char chunk[65536];
    for (ssize_t count = 0; (count = ::recv(from.socket, chunk, sizeof chunk, 0)) != -1;) {
      if (count == 0) {
        from.cut = true;
        break;
      }
      from.in.append(chunk, static_cast<std::size_t>(count));
    }
    if (errno != EAGAIN && errno != EWOULDBLOCK) from.cut = true;
    std::size_t begin = 0;
    for (std::size_t end; (end = from.in.find('\n', begin)) != std::string::npos; begin = end + 1)
      take(id, from, from.in.substr(begin, end - begin));
    from.in.erase(0, begin);
  }

  void take(std::uint64_t id, Connection& from, const std::string& line) {
    rapidjson::Document row;
    row.Parse(line.c_str());
    if (!row.IsObject()) return void(from.cut = true);
    const auto text = [&](const char* name) {
      return row.HasMember(name) && row[name].IsString() ? std::string(row[name].GetString()) : "";
    };
    const auto number = [&](const char* name) {
      return row.HasMember(name) && row[name].IsInt64() ? row[name].GetInt64() : 0;
    };
    const Request request{number("id"),     text("op"),         text("key"),    text("payment"),
                          text("token"),    text("currency"),   text("cursor"), text("build"),
                          number("amount"), number("deadline"), number("since")};
    if (request.op == "calm") {
      teller_.calm();
      from.out += "{\"id\":" + std::to_string(request.number) + ",\"outcome\":\"DONE\"}\n";
      return;
    }
    Delivery delivery = teller_.take(id, request);
    if (delivery.how == Delivery::How::now) from.out += delivery.line;
    if (delivery.how == Delivery::How::later) later_.emplace(delivery.at_ms, std::pair(id, delivery.line));
    if (delivery.how == Delivery::How::cut) from.cut = true;
  }

  static void write(Connection& to) {
    while (!to.out.empty()) {
      const ssize_t count = ::send(to.socket, to.out.data(), to.out.size(), MSG_NOSIGNAL);
      if (count < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK) to.cut = true;
        return;
      }
      to.out.erase(0, static_cast<std::size_t>(count));
    }
  }

  Ledger ledger_;
  Webhooks webhooks_;
  std::vector<Event> to_tell_;
  std::map<std::uint64_t, Connection> connections_;
  std::multimap<std::int64_t, std::pair<std::uint64_t, std::string>> later_;
  Teller teller_;
  int listener_ = -1;
  std::uint64_t last_id_ = 0;
  std::int64_t next_ms_ = 0;
};

Options read_options(int count, char** words) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string name = words[i];
    if (name == "--calm") {
      options.faults.calm = true;
      continue;
    }
    if (++i == count) throw std::runtime_error(name + " needs a value");
    const std::string value = words[i];
    if (name == "--ledger") options.ledger = value;
    if (name == "--port") options.port = std::stoi(value);
    if (name == "--seed") options.faults.seed = std::stoull(value);
    if (name == "--key-window-ms") options.faults.key_window_ms = std::stoll(value);
    if (name == "--webhook-path") options.webhooks.path = value;
    if (name == "--webhook-secret") options.webhooks.secret = value;
    std::istringstream ports(name == "--webhook-ports" ? value : "");
    for (std::string port; std::getline(ports, port, ',');) options.webhooks.ports.push_back(std::stoi(port));
  }
  options.faults.webhooks = !options.webhooks.ports.empty();
  if (options.ledger.empty() || options.port == 0) throw std::runtime_error("give --ledger and --port");
  return options;
}

}  // namespace
}  // namespace bank

int main(int count, char** words) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    bank::Server(bank::read_options(count, words)).run();
  } catch (const std::exception& error) {
    std::cerr << "chaos_bank: " << error.what() << "\n";
    return 1;
  }
}
