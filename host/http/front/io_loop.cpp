#include "http/front/io_loop.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "http/front/refusal.h"

namespace orderd::http::front {
namespace {

using Stage = Connection::Stage;

constexpr int tick_ms = 250;  // how late a deadline may be kept
constexpr int events_per_round_max = 512;
constexpr int linger_reads_max = 16;             // per round, of one connection
constexpr std::size_t kept_buffer_bytes = 4096;  // a connection's larger buffers are freed when empty

void clear(std::string& buffer) {
  if (buffer.capacity() > kept_buffer_bytes)
    std::string().swap(buffer);
  else
    buffer.clear();
}

int make_epoll() {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "http front: epoll_create1");
  return fd;
}

}  // namespace

IoLoop::IoLoop(std::shared_ptr<Context> context, Work work, Poco::Net::HTTPRequestHandlerFactory::Ptr factory)
    : context_(std::move(context)),
      work_(work),
      factory_(std::move(factory)),
      listener_(context_->options.address, context_->options.port),
      caps_({.connections_per_address_max = context_->options.connections_per_address_max,
             .count_loopback = context_->options.count_loopback,
             .trusted = context_->options.trusted_proxies}),
      unsent_({context_->options.unsent_bytes_max, context_->options.unsent_bytes_per_address_max}),
      epoll_fd_(make_epoll()) {
  context_->server = listener_.address();
  watch(context_->returns.wake_fd(), EPOLLIN, &context_->returns);
  watch(listener_.fd(), EPOLLIN, &listener_);
  accepting_ = true;
}

IoLoop::~IoLoop() {
  while (!connections_.empty()) close(*connections_.back());
  ::close(epoll_fd_);
}

void IoLoop::watch(int fd, std::uint32_t events, void* tag) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = tag;
  if (::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0)
    throw std::system_error(errno, std::generic_category(), "http front: epoll_ctl");
}

/// Closing alone would not do: a child process that has not come to its exec yet may hold the same socket
/// open, and epoll would go on to report it, with a tag that has died.
void IoLoop::forget(int fd) {
  if (fd >= 0) ::epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
}

void IoLoop::run() {
  for (;;) {
    take_returned();
    handle_events(returned_.empty() ? tick_ms : 0);
    const std::int64_t now = monotonic_ms();
    const bool draining = context_->draining;
    if (draining) stop_accepting();
    if (now - kept_ms_ >= tick_ms || draining) keep_deadlines(now);
    closed_.clear();
    if (draining && (connections_.empty() || now >= context_->drain_until_ms)) return;
  }
}

void IoLoop::handle_events(int timeout_ms) {
  std::array<epoll_event, events_per_round_max> events;
  const int count = ::epoll_wait(epoll_fd_, events.data(), events_per_round_max, timeout_ms);
  for (int i = 0; i < count; ++i) {
    void* const tag = events[static_cast<std::size_t>(i)].data.ptr;
    const std::uint32_t what = events[static_cast<std::size_t>(i)].events;
    if (tag == &listener_) {
      accept_some();
    } else if (tag == &context_->returns) {
      context_->returns.woken();
    } else {
      auto& connection = *static_cast<Connection*>(tag);
      if (what & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) connection.hung_up = true;
      if (what & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) connection.readable = true;
      if (what & (EPOLLOUT | EPOLLHUP | EPOLLERR)) connection.writable = true;
      advance(connection);
    }
  }
}

void IoLoop::take_returned() {
  context_->returns.take(returned_);
  for (const auto& exchange : returned_) {
    StreamQueue* const queue = exchange->stream();
    if (queue && !queue->is_attached()) continue;
    Connection& connection = *exchange->connection();
    if (queue) {
      if (connection.stage == Stage::exchange) begin_stream(connection, *exchange);
      advance(connection);
      continue;
    }
    connection.exchange.reset();
    std::string bytes = exchange->take_bytes();
    if (unsent_.room_for(connection.counted, bytes.size())) {
      start_writing(connection, std::move(bytes), exchange->closes());
    } else {
      context_->shed.Increment();
      std::string().swap(bytes);
      refuse(connection, answer_to(exchange->message(), 503, "ANSWERS_UNREAD",
                                   "Too much of earlier answers waits to be read by their clients."));
    }
    advance(connection);
  }
}

// ---- one connection ----

void IoLoop::advance(Connection& connection) {
  Progress progress = Progress::goes_on;
  while (progress == Progress::goes_on) {
    switch (connection.stage) {
      case Stage::idle:
      case Stage::head:
      case Stage::body:
        progress = connection.in_used < connection.in.size() ? parse(connection) : read(connection);
        break;
      case Stage::writing:
        progress = write(connection);
        break;
      case Stage::streaming:
        progress = stream(connection);
        break;
      case Stage::lingering:
        progress = linger(connection);
        break;
      case Stage::exchange:
      case Stage::closed:
        return;
    }
  }
}

IoLoop::Progress IoLoop::read(Connection& connection) {
  if (!connection.readable) return Progress::waits;
  const ssize_t size = ::recv(connection.fd, received_.data(), received_.size(), 0);
  if (size < 0 && errno == EINTR) return Progress::goes_on;
  if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    connection.readable = false;
    return Progress::waits;
  }
  if (size <= 0) {
    close(connection);  // a request cut short never was one
    return Progress::waits;
  }
  // After a short read, whatever comes is a new edge; but the end of the stream may have been part of the
  // last one.
  if (static_cast<std::size_t>(size) < received_.size() && !connection.hung_up) connection.readable = false;
  connection.in.assign(received_.data(), static_cast<std::size_t>(size));
  connection.in_used = 0;
  return Progress::goes_on;
}

IoLoop::Progress IoLoop::parse(Connection& connection) {
  const Options& options = context_->options;
  if (connection.stage == Stage::idle) {
    connection.parser = std::make_unique<Parser>(options.message);
    connection.stage = Stage::head;
    connection.deadline_ms = monotonic_ms() + options.header_timeout_ms;
  }
  std::size_t used = 0;
  const auto result =
      connection.parser->feed(std::string_view(connection.in).substr(connection.in_used), used);
  connection.in_used += used;
  if (connection.in_used == connection.in.size()) {
    clear(connection.in);
    connection.in_used = 0;
  }
  switch (result) {
    case Parser::Result::bad: {
      const Refused& refused = connection.parser->refused();
      context_->refused.Increment();
      refuse(connection, answer_to(*connection.parser, refused.status, refused.code, refused.why));
      return Progress::goes_on;
    }
    case Parser::Result::complete:
      dispatch(connection);
      return Progress::goes_on;
    case Parser::Result::more:
      break;
  }
  if (connection.stage == Stage::head && connection.parser->head_complete()) {
    connection.stage = Stage::body;
    connection.deadline_ms = monotonic_ms() + options.body_timeout_ms;
    if (connection.parser->expects_continue() && !connection.parser->body_begun())
      return send_continue(connection);
  }
  return Progress::goes_on;
}

IoLoop::Progress IoLoop::send_continue(Connection& connection) {
  static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
  // All earlier answers have been taken, so these few bytes fit, or the connection is broken.
  if (::send(connection.fd, go_on.data(), go_on.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(go_on.size()))
    return Progress::goes_on;
  close(connection);
  return Progress::waits;
}

void IoLoop::dispatch(Connection& connection) {
  auto exchange =
      std::make_shared<Exchange>(context_, &connection, connection.peer, std::move(connection.parser));
  connection.stage = Stage::exchange;
  connection.exchange = exchange;
  const Parser& message = exchange->message();
  const auto& lane_of = context_->options.lane_of;
  const Lane lane = lane_of ? lane_of(message.method(), path_of(message)) : Lane::ordinary;
  if (lane == Lane::immediate) {
    context_->requests.Increment();
    return exchange->run(*factory_);
  }
  if ((lane == Lane::apart ? work_.apart : work_.ordinary).push(exchange)) {
    context_->requests.Increment();
    return;
  }
  context_->shed.Increment();
  refuse(connection, answer_to(message, 503, code_of(503),
                               "The server has more requests waiting than it can answer soon."));
  connection.exchange.reset();
}

void IoLoop::refuse(Connection& connection, const Context::Answer& answer) {
  start_writing(connection, context_->refuse(answer), true);
}

void IoLoop::start_writing(Connection& connection, std::string bytes, bool close) {
  connection.parser.reset();
  connection.stage = Stage::writing;
  unsent_.add(connection.counted, bytes.size());
  connection.out_counted = bytes.size();
  connection.out = std::move(bytes);
  connection.out_sent = 0;
  connection.close_after_writing = close;
  connection.deadline_ms = monotonic_ms() + context_->options.write_timeout_ms;
}

void IoLoop::uncount(Connection& connection) {
  unsent_.remove(connection.counted, std::exchange(connection.out_counted, 0));
}

IoLoop::Progress IoLoop::write(Connection& connection) {
  while (connection.out_sent < connection.out.size()) {
    if (!connection.writable) return Progress::waits;
    const ssize_t size = ::send(connection.fd, connection.out.data() + connection.out_sent,
                                connection.out.size() - connection.out_sent, MSG_NOSIGNAL);
    if (size >= 0) {
      connection.out_sent += static_cast<std::size_t>(size);
      connection.deadline_ms = monotonic_ms() + context_->options.write_timeout_ms;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      connection.writable = false;
    } else if (errno != EINTR) {
      close(connection);
      return Progress::waits;
    }
  }
  clear(connection.out);
  uncount(connection);
  connection.out_sent = 0;
  if (connection.close_after_writing || context_->draining) {
    ::shutdown(connection.fd, SHUT_WR);
    clear(connection.in);
    connection.in_used = 0;
    connection.stage = Stage::lingering;
    connection.deadline_ms = monotonic_ms() + context_->options.linger_timeout_ms;
  } else {
    connection.stage = Stage::idle;
    connection.answered = true;
    connection.deadline_ms = monotonic_ms() + context_->options.idle_timeout_ms;
  }
  return Progress::goes_on;
}

IoLoop::Progress IoLoop::linger(Connection& connection) {
  for (int reads = 0; reads < linger_reads_max; ++reads) {
    const ssize_t size = ::recv(connection.fd, received_.data(), received_.size(), 0);
    if (size > 0 || (size < 0 && errno == EINTR)) continue;
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Progress::waits;
    close(connection);
    break;
  }
  return Progress::waits;  // for the next edge, or the next tick
}

void IoLoop::close(Connection& connection) {
  if (connection.stage == Stage::closed) return;
  forget(connection.fd);
  ::close(connection.fd);
  connection.fd = -1;
  if (StreamQueue* queue = connection.exchange ? connection.exchange->stream() : nullptr)
    queue->close(StreamedAnswer::State::gone);
  connection.stage = Stage::closed;
  if (connection.out_counted > 0) uncount(connection);
  if (connection.counted) caps_.remove(*connection.counted);
  if (connection.is_stream)
    --streams_;
  else
    context_->connections.Decrement();
  // Deleted only after this round: an event of it may still name the connection.
  const std::size_t index = connection.index;
  closed_.push_back(std::move(connections_[index]));
  if (index + 1 < connections_.size()) {
    connections_[index] = std::move(connections_.back());
    connections_[index]->index = index;
  }
  connections_.pop_back();
}

}  // namespace orderd::http::front
