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

namespace orderd::http::front {

struct Connection;

/// One request and its answer. While an exchange runs, the I/O thread reads and writes nothing on its
/// connection; it gets the connection back when the exchange comes out of the return queue, answered or
/// detached.
///
/// Exactly one party ends it, decided by `state_`: the worker (running → answered, or detached), whoever
/// holds the deferred answer (deferred → answered), or the I/O thread at the deadline (deferred → abandoned,
/// running → overrun: the handler goes on, and its answer is dropped).
/// Shared by the connection, the worker and the deferred answer, each of which may be the last to let go.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  struct Socket {
    int fd, epoll_fd;
    Poco::Net::SocketAddress peer;
  };
  Exchange(std::shared_ptr<Context> context, Connection* connection, Socket socket,
           std::unique_ptr<Parser> message);

  /// Runs the handler, and ends the exchange unless the handler deferred. [worker]
  void run(Poco::Net::HTTPRequestHandlerFactory& factory);

  // What the handler does through its request. [worker]
  void allow(std::chrono::milliseconds time);
  DeferredAnswer defer(std::chrono::milliseconds timeout);
  DetachedSocket detach();
  const Context& context() const { return *context_; }
  const Poco::Net::SocketAddress& peer() const { return socket_.peer; }
  Response& response() { return *response_; }

  // What a DeferredAnswer does. [any thread, one at a time]
  void finish(int status, const Fields& fields, std::string body);
  void drop();

  // The I/O thread's side.
  Connection* connection() const { return connection_; }
  bool detached() const { return state_ == State::detached; }
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
  enum class State { running, deferred, answered, detached, abandoned, overrun };

  bool claim(State from, State next);
  /// Renders the response, and gives the exchange back to the I/O thread.
  void answer();
  void answer_failure(std::string_view detail);

  const std::shared_ptr<Context> context_;
  Connection* const connection_;  // the I/O thread's; alive until this exchange is ended
  const Socket socket_;
  const std::unique_ptr<Parser> message_;

  std::optional<Response> response_;  // made by the worker; then whoever is to end the exchange uses it
  std::optional<Request> request_;
  std::atomic<State> state_{State::running};
  std::atomic<std::int64_t> deadline_ms_;
  std::string bytes_;  // written by the one who ends it, before it is returned
  bool closes_ = true;
};

}  // namespace orderd::http::front
