// What a connection may take, and how a drain parts from it.
#include <sys/epoll.h>

#include <algorithm>

#include "http/front/io_loop.h"
#include "http/front/refusal.h"

namespace orderd::http::front {
namespace {

using Stage = Connection::Stage;

constexpr int drain_grace_ms = 300;  // for a connection's first request to arrive

}  // namespace

void IoLoop::keep_deadlines(std::int64_t now_ms) {
  kept_ms_ = now_ms;
  for (std::size_t i = connections_.size(); i-- > 0;) expire(*connections_[i], now_ms);
  if (!accepting_ && listener_.fd() >= 0) {
    listener_.refill_reserve();
    if (!listener_.exhausted()) {
      watch(listener_.fd(), EPOLLIN, &listener_);
      accepting_ = true;
    }
  }
}

/// From an idle connection while draining: a request that is on its way is still answered. One that has just
/// come has a little time to say what it wants; one that has had an answer has no more than what is there.
void IoLoop::part(Connection& connection, std::int64_t now_ms) {
  connection.readable = true;
  advance(connection);
  if (connection.stage != Stage::idle) return;
  if (!connection.answered) {
    connection.deadline_ms = std::min(connection.deadline_ms, context_->draining_since_ms + drain_grace_ms);
    if (now_ms < connection.deadline_ms) return;
  }
  close(connection);
}

void IoLoop::give_up(Connection& connection) {
  const std::string id = connection.exchange->request_id();
  auto answer = answer_to(connection.exchange->message(), 503, "ANSWER_TIMEOUT",
                          "The answer took too long. What was asked for may still happen.");
  answer.request_id = id;
  refuse(connection, answer);
}

void IoLoop::expire(Connection& connection, std::int64_t now_ms) {
  const bool overdue = now_ms >= connection.deadline_ms;
  switch (connection.stage) {
    case Stage::idle:
      if (overdue) return close(connection);
      return context_->draining ? part(connection, now_ms) : void();
    case Stage::head:
    case Stage::body:
      if (!overdue) return;
      if (!connection.parser->begun()) return close(connection);
      context_->timed_out.Increment();
      refuse(connection,
             answer_to(*connection.parser, 408, code_of(408), "The request took too long to arrive."));
      return advance(connection);
    case Stage::exchange:
      if (!connection.exchange->abandon_if_overdue(now_ms)) return;
      context_->timed_out.Increment();
      give_up(connection);
      connection.exchange.reset();
      return advance(connection);
    case Stage::writing:
      if (!overdue) return;
      context_->timed_out.Increment();
      return close(connection);
    case Stage::streaming:
      if (overdue) {
        connection.exchange->stream()->close(StreamedAnswer::State::slow);
        return close(connection);
      }
      if (!context_->draining) return;
      (void)connection.exchange->stream()->end();
      return advance(connection);
    case Stage::lingering:
      return overdue ? close(connection) : advance(connection);
    case Stage::closed:
      return;
  }
}

}  // namespace orderd::http::front
