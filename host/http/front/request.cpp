#include "http/front/request.h"

#include "http/front/exchange.h"

namespace orderd::http::front {

Request::Request(Exchange& exchange, const Parser& message)
    : exchange_(exchange),
      message_(message),
      stream_(message.body().data(), static_cast<std::streamsize>(message.body().size())) {
  setMethod(std::string(message.method()));
  setURI(std::string(message.target()));
  setVersion(message.minor_version() == 1 ? HTTP_1_1 : HTTP_1_0);
  for (const auto& [name, value] : message.fields()) add(std::string(name), std::string(value));
  if (message.has_body()) setContentLength64(static_cast<Poco::Int64>(message.body().size()));
}

std::string_view Request::path() const {
  const std::string_view target = message_.target();
  return target.substr(0, target.find('?'));
}

std::string_view Request::query() const {
  const std::string_view target = message_.target();
  const std::size_t mark = target.find('?');
  return mark == target.npos ? std::string_view() : target.substr(mark + 1);
}

std::string_view Request::body() const { return message_.body(); }

DeferredAnswer Request::defer() {
  return defer(std::chrono::milliseconds(exchange_.context().options.deferred_timeout_ms));
}

DeferredAnswer Request::defer(std::chrono::milliseconds timeout) { return exchange_.defer(timeout); }

void Request::allow(std::chrono::milliseconds time) { exchange_.allow(time); }

StreamedAnswer Request::stream_answer(const StreamLimits& limits) { return exchange_.stream(limits); }

const Poco::Net::SocketAddress& Request::clientAddress() const { return exchange_.peer(); }
const Poco::Net::SocketAddress& Request::serverAddress() const { return exchange_.context().server; }
const Poco::Net::HTTPServerParams& Request::serverParams() const { return *exchange_.context().params; }
Poco::Net::HTTPServerResponse& Request::response() const { return exchange_.response(); }

}  // namespace orderd::http::front
