// The host's HTTP client as C++ (http.h).
#ifndef ORDERD_SDK_HTTP_HPP
#define ORDERD_SDK_HTTP_HPP

#include <orderd/http.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host.hpp"

namespace orderd::sdk {

/// Views are valid inside the call.
class HttpResponse {
 public:
  explicit HttpResponse(const orderd_http_response* response) : response_(response) {}
  bool answered() const { return response_->failure == ORDERD_HTTP_ANSWERED; }
  /// Surely nothing reached the server: RETRY is true. (Else, not answered: UNKNOWN.)
  bool not_sent() const {
    return response_->failure == ORDERD_HTTP_NOT_SENT || response_->failure == ORDERD_HTTP_MISUSED;
  }
  std::int32_t status() const { return response_->status; }
  std::string_view body() const { return text(response_->body); }
  std::string_view message() const { return text(response_->message); }
  /// By its name in lower case; "" without one.
  std::string_view header(std::string_view name) const {
    for (std::uint32_t i = 0; i < response_->header_count; ++i)
      if (text(response_->headers[i].name) == name) return text(response_->headers[i].value);
    return {};
  }

 private:
  const orderd_http_response* response_;
};

struct HttpRequest {
  std::string method = "POST", url, body{};
  std::vector<std::pair<std::string, std::string>> headers{};
  std::int64_t deadline_ms = 0;  // Unix milliseconds; 0: 30 s from now
};

class HttpClient {
 public:
  explicit HttpClient(const Host& host)
      : host_(host), api_(host.extension<orderd_http_v1>(ORDERD_EXT_HTTP)) {}

  /// `done` is called once, on any thread, perhaps before this returns; it must not wait, and what it throws
  /// ends there. Throws Refused, and does not call it, if the host does not take the request.
  void submit(const HttpRequest& request, std::function<void(const HttpResponse&)> done) const {
    using Done = std::function<void(const HttpResponse&)>;
    auto own = std::make_unique<Done>(std::move(done));
    std::vector<orderd_header> headers;
    for (const auto& [name, value] : request.headers) headers.push_back({view(name), view(value)});
    orderd_http_request out;
    ORDERD_CLEAR(out);
    out.method = view(request.method);
    out.url = view(request.url);
    out.headers = headers.data();
    out.header_count = static_cast<std::uint32_t>(headers.size());
    out.body = view(request.body);
    out.deadline_ms = request.deadline_ms;
    out.data = own.get();
    out.done = [](void* data, const orderd_http_response* response) {
      const std::unique_ptr<Done> mine(static_cast<Done*>(data));
      guarded(nullptr, [&] { (*mine)(HttpResponse(response)); });
    };
    orderd_error error;
    ORDERD_CLEAR(error);
    const orderd_status status = api_->submit(host_.abi(), &out, nullptr, &error);
    if (status != ORDERD_OK) throw Refused(error.message, status);
    (void)own.release();
  }

 private:
  Host host_;
  const orderd_http_v1* api_;
};

}  // namespace orderd::sdk
#endif
