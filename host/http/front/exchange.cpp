#include "http/front/exchange.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequestHandler.h>

#include "base/log.h"

namespace orderd::http::front {

Exchange::Exchange(std::shared_ptr<Context> context, Connection* connection, Poco::Net::SocketAddress peer,
                   std::unique_ptr<Parser> message)
    : context_(std::move(context)),
      connection_(connection),
      peer_(std::move(peer)),
      message_(std::move(message)),
      deadline_ms_(monotonic_ms() + context_->options.handler_timeout_ms) {}

void Exchange::run(Poco::Net::HTTPRequestHandlerFactory& factory) {
  if (state_ != State::running) return;  // it waited too long for a worker, and has been answered
  std::string failure;
  try {
    response_.emplace(Response::For{.head_request = head_request(),
                                    .keep_alive = message_->keep_alive(),
                                    .minor_version = message_->minor_version()});
    request_.emplace(*this, *message_);
    const std::unique_ptr<Poco::Net::HTTPRequestHandler> handler(factory.createRequestHandler(*request_));
    if (handler)
      handler->handleRequest(*request_, *response_);
    else
      failure = "no handler for this request";
  } catch (const Poco::Exception& error) {
    failure = error.displayText();
  } catch (const std::exception& error) { failure = error.what(); } catch (...) {
    failure = "an exception of unknown type";
  }
  // Once it is deferred, whoever holds the answer may be writing to the response: it is not looked at any
  // more.
  const State state = state_;
  const bool running = state == State::running;
  if (failure.empty() && running && !response_->sent())
    failure = "the handler returned without sending, deferring or streaming";
  if (!failure.empty())
    log_error("http", "A request handler failed",
              {{"method", std::string(message_->method())},
               {"error", failure},
               {"request", running ? request_id() : std::string("deferred or streamed")}});

  if (running && claim(State::running, State::answered)) {
    if (failure.empty())
      answer();
    else
      answer_failure("The server failed to answer this request.");
  }
}

DeferredAnswer Exchange::defer(std::chrono::milliseconds timeout) {
  if (response_->sent() || state_ != State::running)
    throw Poco::IllegalStateException("a request can be deferred once, before its response is sent");
  deadline_ms_ = monotonic_ms() + timeout.count();
  if (!claim(State::running, State::deferred))
    throw Poco::IllegalStateException("the time to answer this request is over");
  return DeferredAnswer(shared_from_this());
}

StreamedAnswer Exchange::stream(const StreamLimits& limits) {
  if (response_->sent() || state_ != State::running)
    throw Poco::IllegalStateException("a request can be streamed once, before its response is sent");
  response_->setKeepAlive(false);
  bytes_ = response_->render_head();
  if (bytes_.empty()) throw Poco::IllegalStateException("the head of a stream cannot be sent");
  stream_ = std::make_unique<StreamQueue>(limits);
  if (!claim(State::running, State::streamed))
    throw Poco::IllegalStateException("the time to answer this request is over");
  context_->returns.push(shared_from_this());
  return StreamedAnswer(shared_from_this());
}

void Exchange::append(StreamQueue::Bytes bytes) {
  if (stream_->append(std::move(bytes))) context_->returns.push(shared_from_this());
}

void Exchange::end_stream() {
  if (stream_->end()) context_->returns.push(shared_from_this());
}

void Exchange::allow(std::chrono::milliseconds time) { deadline_ms_ = monotonic_ms() + time.count(); }

bool Exchange::claim(State from, State next) { return state_.compare_exchange_strong(from, next); }

void Exchange::finish(int status, const Fields& fields, std::string body) {
  if (!claim(State::deferred, State::answered)) return;
  response_->fill(status, fields, std::move(body));
  answer();
}

void Exchange::drop() {
  if (!claim(State::deferred, State::answered)) return;
  log_error("http", "A deferred answer was dropped", {{"request", request_id()}});
  answer_failure("The server lost the answer to this request.");
}

bool Exchange::abandon_if_overdue(std::int64_t now_ms) {
  if (now_ms < deadline_ms_) return false;
  return claim(State::deferred, State::abandoned) || claim(State::running, State::overrun);
}

std::string Exchange::request_id() const {
  // While a handler may still run, the response is its own.
  if (state_ == State::overrun) return std::string(message_->field("X-Request-Id"));
  return response_ ? response_->get("X-Request-Id", "") : std::string();
}

void Exchange::answer() {
  if (context_->draining) response_->setKeepAlive(false);
  bytes_ = response_->render();
  closes_ = response_->closes();
  if (bytes_.empty()) {
    log_error("http", "A response had a line break in a field, or no final status, and was not sent",
              {{"request", request_id()}});
    answer_failure("The server made an answer that cannot be sent.");
    return;
  }
  context_->returns.push(shared_from_this());
}

void Exchange::answer_failure(std::string_view detail) {
  const std::string id = request_id();
  bytes_ = context_->refuse({.status = 500,
                             .code = code_of(500),
                             .detail = detail,
                             .request_id = id,
                             .head_request = head_request(),
                             .origin = message_->field("Origin")});
  closes_ = true;
  context_->returns.push(shared_from_this());
}

StreamedAnswer::~StreamedAnswer() {
  if (exchange_) exchange_->end_stream();
}

void StreamedAnswer::append(Bytes bytes) { exchange_->append(std::move(bytes)); }
void StreamedAnswer::end() { exchange_->end_stream(); }
StreamedAnswer::State StreamedAnswer::state() const { return exchange_->stream_state(); }

DeferredAnswer& DeferredAnswer::operator=(DeferredAnswer&& other) noexcept {
  if (this != &other) {
    if (exchange_) exchange_->drop();
    exchange_ = std::move(other.exchange_);
  }
  return *this;
}

DeferredAnswer::~DeferredAnswer() {
  if (exchange_) exchange_->drop();
}

void DeferredAnswer::finish(int status, const Fields& fields, std::string body) {
  if (const auto exchange = std::move(exchange_)) exchange->finish(status, fields, std::move(body));
}

}  // namespace orderd::http::front
