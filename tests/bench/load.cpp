// bench_load: places orders over HTTP, closed loop (each connection posts again when it is answered) or open
// loop (at a steady rate, whatever the answers do), and prints what it saw as one JSON object. One thread,
// epoll, keep-alive connections on the loopback interface. It knows nothing of the host but API.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "answer.h"

namespace {

using namespace orderd::bench;

constexpr int answers_limit_s = 30;  // for what is still under way when the load ends
constexpr int skus = 1000, customers = 5000, sold_out_every = 10;
constexpr std::size_t open_connections_max = 4096;

struct Options {
  std::uint16_t port = 0;
  int seconds = 10;
  std::size_t connections = 64;  // closed loop
  int rate_per_s = 0;            // open loop, if not 0
  std::int64_t backlog_max =
      0;  // placed but not finished, if not 0; numbers of finished ones come in on stdin
  std::int64_t stream_every = 0;  // of so many orders, one is followed by its stream, if not 0
  std::string run = "bench";      // begins the idempotency keys
  std::string orders_file;  // a line for each order placed: id, when its request was due (us since 1970)
};

using SteadyClock = std::chrono::steady_clock;

template <typename Clock>
std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch()).count();
}

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

enum class Use { idle, posting, streaming };

struct Connection {
  int fd = -1;
  Use use = Use::idle;
  std::int64_t due_us = 0;  // of the order's request, steady clock
  std::string in, out;
};

class Load {
 public:
  explicit Load(Options options) : options_(std::move(options)), poll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (!options_.orders_file.empty()) orders_.open(options_.orders_file);
  }
  void run();
  void print() const;

 private:
  bool closed_loop() const { return options_.rate_per_s == 0; }
  bool backlog_is_full() const {
    return options_.backlog_max && placed_ + busy_ - finished_ >= options_.backlog_max;
  }
  Connection& connect();
  void post(Connection& connection, std::int64_t due_us);
  void post_where_idle();
  void follow(const std::string& order_id, std::int64_t due_us);
  void send(Connection& connection);
  void receive(Connection& connection);
  void answered(Connection& connection, const Answer& answer);
  void close(Connection& connection);
  void tick();
  void read_finished();
  std::string body();
  void watch(int fd, void* what);

  const Options options_;
  const int poll_;
  int timer_ = -1;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> idle_;
  std::mt19937 random_{std::random_device{}()};
  std::ofstream orders_;
  std::string finished_line_;
  std::int64_t begin_us_ = 0, last_answer_us_ = 0, begin_wall_us_ = 0;
  std::int64_t started_ = 0, placed_ = 0, finished_ = 0, busy_ = 0, broken_ = 0, ticks_ = 0;
  bool ending_ = false;
  std::map<int, std::int64_t> refused_;  // by status
  std::vector<std::int64_t> accept_us_, seen_us_;
};

void Load::watch(int fd, void* what) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = what;
  if (epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
}

Connection& Load::connect() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(options_.port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
    fail("connecting to 127.0.0.1:" + std::to_string(options_.port));
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  connections_.push_back(std::make_unique<Connection>());
  Connection& made = *connections_.back();
  made.fd = fd;
  watch(fd, &made);
  return made;
}

void Load::close(Connection& connection) {
  if (connection.use != Use::idle) --busy_;
  ::close(connection.fd);
  std::erase(idle_, &connection);
  std::erase_if(connections_, [&](const auto& one) { return one.get() == &connection; });
}

std::string Load::body() {
  const auto any = [&](int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random_);
  };
  const bool sold_out = started_ % sold_out_every == 0;
  std::array<char, 512> text{};
  std::array<char, 16> second{"SKU-SOLD-OUT"};
  if (!sold_out) std::snprintf(second.data(), second.size(), "SKU-%04d", any(1, skus));
  const int size = std::snprintf(
      text.data(), text.size(),
      R"({"customerId":"c-%d","currency":"EUR","items":[{"sku":"SKU-%04d","quantity":%d,"unitPrice":%d},)"
      R"({"sku":"%s","quantity":%d,"unitPrice":%d}],"payment":{"method":"card","token":"tok_ok"}})",
      any(1, customers), any(1, skus), any(1, 3), any(100, 9999), second.data(), any(1, 3), any(100, 9999));
  return {text.data(), static_cast<std::size_t>(size)};
}

void Load::post(Connection& connection, std::int64_t due_us) {
  ++started_;
  ++busy_;
  const std::string content = body();
  connection.use = Use::posting;
  connection.due_us = due_us;
  connection.out =
      "POST /api/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: " +
      options_.run + "-" + std::to_string(started_) +
      "\r\nContent-Length: " + std::to_string(content.size()) + "\r\n\r\n" + content;
  send(connection);
}

void Load::follow(const std::string& order_id, std::int64_t due_us) {
  Connection& connection = connect();
  ++busy_;
  connection.use = Use::streaming;
  connection.due_us = due_us;
  connection.out = "GET /api/orders/" + order_id +
                   "/stream HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n";
  send(connection);
}

void Load::send(Connection& connection) {
  const ssize_t sent = ::send(connection.fd, connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
  // A request is smaller than a socket's buffer; a host that is gone shows when its end is read.
  if (sent >= 0 && static_cast<std::size_t>(sent) != connection.out.size())
    fail("a request was sent in part");
}

void Load::receive(Connection& connection) {
  std::array<char, 16384> buffer;
  const ssize_t size = ::recv(connection.fd, buffer.data(), buffer.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) {
    if (connection.use != Use::idle) ++broken_;
    close(connection);
    if (closed_loop()) idle_.push_back(&connect());
    return;
  }
  connection.in.append(buffer.data(), static_cast<std::size_t>(size));
  if (connection.use == Use::streaming) {
    for (const char* last : {R"("status":"CONFIRMED")", R"("status":"REJECTED")", R"("status":"CANCELLED")"})
      if (connection.in.find(last) != std::string::npos) {
        seen_us_.push_back(now_us<SteadyClock>() - connection.due_us);
        return close(connection);
      }
    return;
  }
  const Answer answer = parse(connection.in);
  if (answer.size) answered(connection, answer);
}

void Load::answered(Connection& connection, const Answer& answer) {
  last_answer_us_ = now_us<SteadyClock>();
  --busy_;
  connection.use = Use::idle;
  const std::string id(member(answer.body, "id"));
  connection.in.erase(0, answer.size);
  idle_.push_back(&connection);
  if (answer.status != 201) {
    ++refused_[answer.status];
    return;
  }
  ++placed_;
  accept_us_.push_back(last_answer_us_ - connection.due_us);
  if (orders_.is_open()) orders_ << id << ' ' << begin_wall_us_ + (connection.due_us - begin_us_) << '\n';
  if (options_.stream_every && placed_ % options_.stream_every == 0) follow(id, connection.due_us);
}

void Load::post_where_idle() {
  while (!ending_ && !idle_.empty() && !backlog_is_full()) {
    Connection& connection = *idle_.back();
    idle_.pop_back();
    post(connection, now_us<SteadyClock>());
  }
}

/// The requests that are due by now, also those that should have been sent before: their wait is part of what
/// is measured.
void Load::tick() {
  std::uint64_t due = 0;
  if (read(timer_, &due, sizeof due) != sizeof due) return;
  for (; due && !ending_; --due) {
    const std::int64_t due_us = begin_us_ + ++ticks_ * 1'000'000 / options_.rate_per_s;
    if (idle_.empty() && connections_.size() >= open_connections_max)
      throw std::runtime_error("the host does not answer: " + std::to_string(open_connections_max) +
                               " requests wait");
    Connection& connection = idle_.empty() ? connect() : *idle_.back();
    if (!idle_.empty()) idle_.pop_back();
    post(connection, due_us);
  }
}

/// Whole lines of stdin, each the number of orders finished so far. After its end the last number holds.
void Load::read_finished() {
  std::array<char, 4096> buffer;
  const ssize_t size = read(STDIN_FILENO, buffer.data(), buffer.size());
  if (size <= 0) {
    if (size == 0) epoll_ctl(poll_, EPOLL_CTL_DEL, STDIN_FILENO, nullptr);
    return;
  }
  finished_line_.append(buffer.data(), static_cast<std::size_t>(size));
  for (auto end = finished_line_.find('\n'); end != std::string::npos; end = finished_line_.find('\n')) {
    finished_ = std::strtoll(finished_line_.c_str(), nullptr, 10);
    finished_line_.erase(0, end + 1);
  }
}

void Load::run() {
  begin_us_ = last_answer_us_ = now_us<SteadyClock>();
  begin_wall_us_ = now_us<std::chrono::system_clock>();
  const std::int64_t end_us = begin_us_ + options_.seconds * 1'000'000LL;
  if (options_.backlog_max) watch(STDIN_FILENO, &finished_line_);
  if (closed_loop()) {
    while (connections_.size() < options_.connections) idle_.push_back(&connect());
  } else {
    timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    const long interval_ns = 1'000'000'000L / options_.rate_per_s;
    const timespec interval{interval_ns / 1'000'000'000, interval_ns % 1'000'000'000};
    const itimerspec every{interval, interval};
    timerfd_settime(timer_, 0, &every, nullptr);
    watch(timer_, &timer_);
  }
  while (true) {
    const std::int64_t now = now_us<SteadyClock>();
    ending_ = now >= end_us;
    if (ending_ && busy_ == 0) return;
    if (now > end_us + answers_limit_s * 1'000'000LL)
      throw std::runtime_error(std::to_string(busy_) + " requests or streams were not answered in " +
                               std::to_string(answers_limit_s) + " s");
    if (closed_loop()) post_where_idle();
    std::array<epoll_event, 1> events;  // one at a time: handling it may close others
    const int count = epoll_wait(poll_, events.data(), 1, 20);
    if (count < 1) continue;
    void* what = events[0].data.ptr;
    if (what == &timer_)
      tick();
    else if (what == &finished_line_)
      read_finished();
    else
      receive(*static_cast<Connection*>(what));
  }
}

void print_times(const char* name, std::vector<std::int64_t> times) {
  std::sort(times.begin(), times.end());
  const auto part = [&](std::size_t percent) {
    return times.empty() ? 0 : times[std::min(times.size() - 1, times.size() * percent / 100)];
  };
  std::cout << "\"" << name << "\":{\"count\":" << times.size() << ",\"p50\":" << part(50)
            << ",\"p99\":" << part(99) << ",\"max\":" << part(100) << "}";
}

void Load::print() const {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto us = [](const timeval& time) { return time.tv_sec * 1'000'000 + time.tv_usec; };
  std::cout << "{\"placed\":" << placed_ << ",\"refused\":{";
  for (const char* comma = ""; const auto& [status, count] : refused_) {
    std::cout << comma << "\"" << status << "\":" << count;
    comma = ",";
  }
  std::cout << "},\"broken\":" << broken_ << ",\"us\":" << last_answer_us_ - begin_us_
            << ",\"cpu_us\":" << us(used.ru_utime) + us(used.ru_stime) << ",";
  print_times("accept_us", accept_us_);
  std::cout << ",";
  print_times("seen_us", seen_us_);
  std::cout << "}" << std::endl;
}

Options read_options(int count, char** words) {
  Options options;
  const auto number = [](std::string_view text, std::int64_t least, std::int64_t most) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < least || value > most)
      throw std::invalid_argument("'" + std::string(text) + "' is not a whole number from " +
                                  std::to_string(least) + " to " + std::to_string(most));
    return value;
  };
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view name = words[i], value = words[i + 1];
    if (name == "--port")
      options.port = static_cast<std::uint16_t>(number(value, 1, 65535));
    else if (name == "--seconds")
      options.seconds = static_cast<int>(number(value, 1, 3600));
    else if (name == "--connections")
      options.connections = static_cast<std::size_t>(number(value, 1, 10000));
    else if (name == "--rate")
      options.rate_per_s = static_cast<int>(number(value, 1, 100000));
    else if (name == "--backlog")
      options.backlog_max = number(value, 1, 1'000'000'000);
    else if (name == "--stream-every")
      options.stream_every = number(value, 1, 1'000'000'000);
    else if (name == "--run")
      options.run = value;
    else if (name == "--orders")
      options.orders_file = value;
    else
      throw std::invalid_argument("unknown option " + std::string(name));
  }
  if (options.port == 0 || count % 2 == 0)
    throw std::invalid_argument(
        "usage: bench_load --port N [--seconds N] [--connections N | --rate N] [--backlog N] [--stream-every "
        "N] "
        "[--run NAME] [--orders FILE]");
  return options;
}

}  // namespace

int main(int count, char** words) {
  try {
    Load load(read_options(count, words));
    load.run();
    load.print();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bench_load: " << error.what() << "\n";
    return 1;
  }
}
