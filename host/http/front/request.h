#pragma once
#include <Poco/MemoryStream.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/SocketAddress.h>

#include <chrono>
#include <string_view>

#include "http/front/deferred_answer.h"
#include "http/front/streamed_answer.h"

namespace orderd::http::front {

class Exchange;
class Parser;

/// A complete, checked request as Poco's handlers take it, all of it in memory. Owned by its exchange; used
/// by the worker that runs the handler, until the handler returns.
class Request final : public Poco::Net::HTTPServerRequest {
 public:
  Request(Exchange& exchange, const Parser& message);

  /// Every request that a front's handlers get is one of these.
  static Request& from(Poco::Net::HTTPServerRequest& request) { return dynamic_cast<Request&>(request); }

  /// The target split at its first '?', still percent-encoded. (Poco::URI would take "//x" for a host.)
  std::string_view path() const;
  std::string_view query() const;
  std::string_view body() const;

  /// The answer will come through the returned handle, from any thread, even before the handler has returned.
  /// Do not touch the response afterwards. After `timeout` the front answers 503 in its place. Throws
  /// Poco::IllegalStateException if the response has been sent or another call has been made.
  [[nodiscard]] DeferredAnswer defer();  // Options::deferred_timeout_ms
  [[nodiscard]] DeferredAnswer defer(std::chrono::milliseconds timeout);

  /// The handler may run so long from now on, before the front answers 503 in its place. For what an operator
  /// waits for; Options::handler_timeout_ms is for all others.
  void allow(std::chrono::milliseconds time);

  /// The answer is a stream: its head is what the response has now, its body what is appended to the returned
  /// handle. The connection counts no longer against the front's caps, and closes at the end. The response
  /// must not be used any more. Throws like defer().
  [[nodiscard]] StreamedAnswer stream_answer(const StreamLimits& limits);

  std::istream& stream() override { return stream_; }
  const Poco::Net::SocketAddress& clientAddress() const override;
  const Poco::Net::SocketAddress& serverAddress() const override;
  const Poco::Net::HTTPServerParams& serverParams() const override;
  Poco::Net::HTTPServerResponse& response() const override;
  bool secure() const override { return false; }

 private:
  Exchange& exchange_;
  const Parser& message_;
  Poco::MemoryInputStream stream_;
};

}  // namespace orderd::http::front
