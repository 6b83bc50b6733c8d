#include "sse/fan_out.h"

#include <algorithm>

namespace orderd::sse {
namespace {

constexpr Millis tend_every{500};

}  // namespace

FanOut::FanOut(const BroadcasterOptions& options, OnGap on_gap)
    : options_(options),
      on_gap_(std::move(on_gap)),
      heartbeat_(std::make_shared<const std::string>(":\n\n")),
      streams_gauge_(metrics().gauge("orderd_sse_streams", "Open streams")),
      messages_(metrics().counter("orderd_sse_messages_total", "Status messages given to streams")),
      slow_(metrics().counter("orderd_sse_slow_total", "Streams ended because the client did not read")),
      thread_("sse", [this](const std::stop_token&) { run(); }) {}

FanOut::~FanOut() {
  post({});
  thread_.join();
}

void FanOut::open(Broadcaster::Watch watch, Broadcaster::Opening opening) {
  Command command;
  command.kind = Command::Kind::open;
  command.first = std::make_shared<const std::string>(std::move(opening.beginning.bytes));
  command.is_last = opening.beginning.ends;
  command.stream.reset(new Stream{std::move(watch), std::move(opening.client), std::move(opening.permitted),
                                  opening.beginning.version});
  post(std::move(command));
}

void FanOut::publish(std::vector<Frame> frames, bool from_history) {
  if (frames.empty()) return;
  Command command;
  command.kind = Command::Kind::publish;
  command.frames = std::move(frames);
  command.from_history = from_history;
  post(std::move(command));
}

void FanOut::close_all() {
  Command command;
  command.kind = Command::Kind::close_all;
  post(std::move(command));
}

void FanOut::post(Command command) {
  std::lock_guard lock(mutex_);
  inbox_.push_back(std::move(command));
  if (inbox_.size() == 1) changed_.notify_one();
}

void FanOut::run() {
  auto tend_at = Clock::now() + tend_every;
  for (bool going = true; going;) {
    std::vector<Command> commands;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_until(lock, tend_at, [this] { return !inbox_.empty(); });
      commands.swap(inbox_);
    }
    for (Command& command : commands) going &= obey(command);
    if (const auto now = Clock::now(); now >= tend_at) {
      tend();
      tend_at = now + tend_every;
    }
    sweep();
  }
  for (const auto& one : streams_) end(*one.second);
  sweep();
}

bool FanOut::obey(Command& command) {
  switch (command.kind) {
    case Command::Kind::open: {
      Stream& stream = *command.stream;
      by_order_[stream.watch.order_id()].push_back(&stream);
      streams_.emplace(&stream, std::move(command.stream));
      streams_gauge_.Increment();
      send(stream, std::move(command.first));
      if (command.is_last) end(stream);
      return true;
    }
    case Command::Kind::publish:
      for (const Frame& frame : command.frames) deliver(frame, command.from_history);
      return true;
    case Command::Kind::close_all:
      for (const auto& one : streams_) end(*one.second);
      return true;
    case Command::Kind::end:
      return false;
  }
  return false;
}

void FanOut::deliver(const Frame& frame, bool from_history) {
  const auto found = by_order_.find(frame.order_id);
  if (found == by_order_.end()) return;
  const auto bytes = std::make_shared<const std::string>(frame.bytes);
  for (Stream* stream : found->second) {
    if (stream->ended || frame.version <= stream->version) continue;
    if (frame.version > stream->version + 1 && !from_history) {
      on_gap_(frame.order_id, stream->version);
      continue;
    }
    stream->version = frame.version;
    messages_.Increment();
    send(*stream, bytes);
    if (frame.last) end(*stream);
  }
}

void FanOut::send(Stream& stream, Client::Bytes bytes) {
  stream.heartbeat_at = Clock::now() + Millis(options_.heartbeat_ms);
  if (!bytes->empty()) stream.client->send(std::move(bytes));
}

void FanOut::end(Stream& stream) {
  if (stream.ended) return;
  stream.client->end();
  forget(stream);
}

void FanOut::forget(Stream& stream) {
  stream.ended = true;
  ended_.push_back(&stream);
}

void FanOut::tend() {
  const auto now = Clock::now();
  for (const auto& one : streams_) {
    Stream& stream = *one.second;
    if (stream.ended) continue;
    if (const auto state = stream.client->state(); state != Client::State::open) {
      if (state == Client::State::slow) slow_.Increment();
      forget(stream);
    } else if (stream.permitted && !stream.permitted()) {
      end(stream);
    } else if (now >= stream.heartbeat_at) {
      send(stream, heartbeat_);
    }
  }
}

void FanOut::sweep() {
  for (Stream* const stream : ended_) {
    const auto found = by_order_.find(stream->watch.order_id());
    std::erase(found->second, stream);
    if (found->second.empty()) by_order_.erase(found);
    streams_.erase(stream);
    streams_gauge_.Decrement();
  }
  ended_.clear();
}

}  // namespace orderd::sse
