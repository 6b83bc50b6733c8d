#pragma once
#include <Poco/Net/HTTPRequestHandlerFactory.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "http/front/context.h"
#include "http/front/parser.h"
#include "http/front/request.h"
#include "http/front/response.h"
#include "http/front/stream_queue.h"

namespace orderd::http::front {

struct Connection;

/// One request and its answer. While an exchange runs, the I/O thread reads and writes nothing on its
/// connection; it gets the connection back when the exchange comes out of the return queue, answered or as a
/// stream. A stream comes out of it again whenever something was appended.
///
/// Exactly one party ends it, decided by `state_`: the worker (running → answered, or streamed), whoever
/// holds the deferred answer (deferred → answered), or the I/O thread at the deadline (deferred → abandoned,
/// running → overrun: the handler goes on, and its answer is dropped).
/// Shared by the connection, the worker and the deferred answer, each of which may be the last to let go.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(std::shared_ptr<Context> context, Connection* connection, Poco::Net::SocketAddress peer,
           std::unique_ptr<Parser> message);

  /// Runs the handler, and ends the exchange unless the handler deferred. [worker]
  void run(Poco::Net::HTTPRequestHandlerFactory& factory);

  // What the handler does through its request. [worker]
  void allow(std::chrono::milliseconds time);
  DeferredAnswer defer(std::chrono::milliseconds timeout);
  StreamedAnswer stream(const StreamLimits& limits);
  const Context& context() const { return *context_; }
  const Poco::Net::SocketAddress& peer() const { return peer_; }
  Response& response() { return *response_; }

  // What a DeferredAnswer does. [any thread, one at a time]
  void finish(int status, const Fields& fields, std::string body);
  void drop();
  // What a StreamedAnswer does. [any thread]
  void append(StreamQueue::Bytes bytes);
  void end_stream();
  StreamedAnswer::State stream_state() const { return stream_->state(); }

  // The I/O thread's side.
  Connection* connection() const { return connection_; }
  /// nullptr: it is no stream.
  StreamQueue* stream() { return state_ == State::streamed ? stream_.get() : nullptr; }
  /// Valid once it came out of the return queue.
  std::string take_bytes() { return std::move(bytes_); }
  bool closes() const { return closes_; }
  /// True if its deadline has passed: then its answer is the I/O thread's to give.
  bool abandon_if_overdue(std::int64_t now_ms);
  /// What the handler set as X-Request-Id, or the client sent; or empty.
  std::string request_id() const;
  bool head_request() const { return message_->method() == "HEAD"; }
  const Parser& message() const { return *message_; }

 private:
  enum class State { running, deferred, answered, streamed, abandoned, overrun };

  bool claim(State from, State next);
  /// Renders the response, and gives the exchange back to the I/O thread.
  void answer();
  void answer_failure(std::string_view detail);

  const std::shared_ptr<Context> context_;
  Connection* const connection_;  // the I/O thread's; alive until this exchange is ended
  const Poco::Net::SocketAddress peer_;
  const std::unique_ptr<Parser> message_;

  std::optional<Response> response_;  // made by the worker; then whoever is to end the exchange uses it
  std::optional<Request> request_;
  std::atomic<State> state_{State::running};
  std::atomic<std::int64_t> deadline_ms_;
  std::string bytes_;  // written by the one who ends it, before it is returned
  bool closes_ = true;
  std::unique_ptr<StreamQueue> stream_;  // constant once state_ says so
};

}  // namespace orderd::http::front
