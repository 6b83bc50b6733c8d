#include "sse/stream_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>

namespace orderd::sse {
namespace {

constexpr int tick_ms = 500;

std::int64_t monotonic_ms() {
  return std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

StreamLoop::StreamLoop(const BroadcasterOptions& options, OnGap on_gap)
    : options_(options),
      on_gap_(std::move(on_gap)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      heartbeat_(std::make_shared<const std::string>(":\n\n")),
      streams_gauge_(metrics().gauge("orderd_sse_streams", "Open streams")),
      messages_(metrics().counter("orderd_sse_messages_total", "Status messages given to streams")),
      slow_(metrics().counter("orderd_sse_slow_total", "Streams ended because the client did not read")) {
  epoll_event wake_event{};
  wake_event.events = EPOLLIN;
  if (epoll_ < 0 || wake_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &wake_event) != 0)
    throw std::runtime_error("sse: no epoll or eventfd: is the limit of open files (ulimit -n) reached?");
  thread_ = std::thread([this] { run(); });
}

StreamLoop::~StreamLoop() {
  post({});
  thread_.join();
  ::close(wake_);
  ::close(epoll_);
}

void StreamLoop::open(Broadcaster::Watch watch, Broadcaster::Opening opening) {
  ::setsockopt(opening.fd, SOL_SOCKET, SO_SNDBUF, &options_.send_buffer_bytes,
               sizeof options_.send_buffer_bytes);
  Command command;
  command.kind = Command::Kind::open;
  command.stream = std::make_unique<Stream>(std::move(watch), opening);
  command.first = std::make_shared<const std::string>(opening.head + opening.beginning.bytes);
  post(std::move(command));
}

void StreamLoop::publish(std::vector<Frame> frames, bool from_history) {
  if (frames.empty()) return;
  Command command;
  command.kind = Command::Kind::publish;
  command.frames = std::move(frames);
  command.from_history = from_history;
  post(std::move(command));
}

void StreamLoop::close_all() {
  Command command;
  command.kind = Command::Kind::close_all;
  post(std::move(command));
}

void StreamLoop::post(Command command) {
  {
    std::lock_guard lock(mutex_);
    inbox_.push_back(std::move(command));
    if (inbox_.size() > 1) return;  // the loop has been woken already
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
}

void StreamLoop::run() {
  std::array<epoll_event, 256> events;
  std::int64_t tend_at_ms = monotonic_ms() + tick_ms;
  for (bool going = true; going;) {
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), tick_ms);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (!event.data.ptr) {
        std::uint64_t wakes;
        [[maybe_unused]] const auto read = ::read(wake_, &wakes, sizeof wakes);
        continue;
      }
      auto& stream = *static_cast<Stream*>(event.data.ptr);
      if (!stream.closed && (event.events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)))
        drain_input(stream);
      if (!stream.closed && (event.events & EPOLLOUT)) flush(stream);
    }
    std::vector<Command> commands;
    {
      std::lock_guard lock(mutex_);
      commands.swap(inbox_);
    }
    for (Command& command : commands) going &= obey(command);
    if (const std::int64_t at = monotonic_ms(); at >= tend_at_ms) {
      tend(at);
      tend_at_ms = at + tick_ms;
    }
    sweep();
  }
  for (const auto& one : streams_) close(*one.second);
  sweep();
}

bool StreamLoop::obey(Command& command) {
  switch (command.kind) {
    case Command::Kind::open:
      add(std::move(command.stream), std::move(command.first));
      return true;
    case Command::Kind::publish:
      for (const Frame& frame : command.frames) deliver(frame, command.from_history);
      return true;
    case Command::Kind::close_all:
      for (const auto& one : streams_) close(*one.second);
      return true;
    case Command::Kind::end:
      return false;
  }
  return false;
}

void StreamLoop::add(std::unique_ptr<Stream> owned, Bytes first) {
  Stream& stream = *owned;
  streams_.emplace(&stream, std::move(owned));
  by_order_[stream.watch.order_id()].push_back(&stream);
  streams_gauge_.Increment();
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP;
  event.data.ptr = &stream;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, stream.fd, &event) != 0) return close(stream);
  stream.heartbeat_at_ms = monotonic_ms() + options_.heartbeat_ms;
  send(stream, std::move(first));
}

void StreamLoop::deliver(const Frame& frame, bool from_history) {
  const auto found = by_order_.find(frame.order_id);
  if (found == by_order_.end()) return;
  const auto bytes = std::make_shared<const std::string>(frame.bytes);
  for (Stream* stream : found->second) {
    if (stream->closed || stream->ending || frame.version <= stream->version) continue;
    if (frame.version > stream->version + 1 && !from_history) {
      on_gap_(frame.order_id, stream->version);
      continue;
    }
    stream->version = frame.version;
    stream->ending = frame.last;
    messages_.Increment();
    send(*stream, bytes);
  }
}

void StreamLoop::send(Stream& stream, Bytes bytes) {
  stream.out_bytes += bytes->size();
  stream.out.push_back(std::move(bytes));
  flush(stream);
  if (stream.closed || stream.out_bytes - stream.front_sent <= options_.stream_bytes_max) return;
  slow_.Increment();
  close(stream);
}

void StreamLoop::flush(Stream& stream) {
  const std::int64_t at = monotonic_ms();
  while (!stream.out.empty()) {
    const std::string& front = *stream.out.front();
    const auto sent = ::send(stream.fd, front.data() + stream.front_sent, front.size() - stream.front_sent,
                             MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) {
      if (errno != EAGAIN && errno != EWOULDBLOCK) return close(stream);
      if (!stream.awaits_room) stream.stalled_at_ms = at;
      return ask_for_room(stream, true);
    }
    stream.stalled_at_ms = at;
    stream.heartbeat_at_ms = at + options_.heartbeat_ms;
    stream.front_sent += static_cast<std::size_t>(sent);
    if (stream.front_sent < front.size()) continue;
    stream.out_bytes -= front.size();
    stream.front_sent = 0;
    stream.out.pop_front();
  }
  if (stream.ending) return close(stream);
  ask_for_room(stream, false);
}

void StreamLoop::ask_for_room(Stream& stream, bool wanted) {
  if (stream.awaits_room == wanted) return;
  stream.awaits_room = wanted;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | (wanted ? EPOLLOUT : 0u);
  event.data.ptr = &stream;
  if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, stream.fd, &event) != 0) close(stream);
}

void StreamLoop::drain_input(Stream& stream) {
  // A client has nothing to say on a stream; what it says is dropped, and its end is the stream's.
  std::array<char, 4096> dropped;
  for (int reads = 0; reads < 4; ++reads) {
    const auto size = ::recv(stream.fd, dropped.data(), dropped.size(), MSG_DONTWAIT);
    if (size > 0) continue;
    if (size == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) close(stream);
    return;
  }
}

void StreamLoop::tend(std::int64_t now_ms) {
  for (const auto& one : streams_) {
    Stream& stream = *one.second;
    if (stream.closed) continue;
    if (stream.permitted && !stream.permitted()) {
      close(stream);
    } else if (!stream.out.empty()) {
      if (now_ms - stream.stalled_at_ms < options_.stall_timeout_ms) continue;
      slow_.Increment();
      close(stream);
    } else if (now_ms >= stream.heartbeat_at_ms) {
      send(stream, heartbeat_);
    }
  }
}

void StreamLoop::close(Stream& stream) {
  if (stream.closed) return;
  stream.closed = true;
  ::shutdown(stream.fd, SHUT_WR);
  ::close(stream.fd);
  closed_.push_back(&stream);
}

void StreamLoop::sweep() {
  for (Stream* stream : closed_) {
    const auto found = by_order_.find(stream->watch.order_id());
    std::erase(found->second, stream);
    if (found->second.empty()) by_order_.erase(found);
    streams_.erase(stream);
    streams_gauge_.Decrement();
  }
  closed_.clear();
}

}  // namespace orderd::sse
