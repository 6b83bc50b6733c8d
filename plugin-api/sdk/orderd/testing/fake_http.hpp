// "orderd.http/1" without a network: a function of the test's own answers.
#ifndef ORDERD_TESTING_FAKE_HTTP_HPP
#define ORDERD_TESTING_FAKE_HTTP_HPP

#include <orderd/http.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <orderd/barrier.hpp>
#include "later.hpp"

namespace orderd::testing {

struct HttpRequest {
  std::string method, url, body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::int64_t deadline_ms = 0;
  /// "" without one; names as the plugin wrote them.
  std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers)
      if (key == name) return value;
    return "";
  }
};

struct HttpAnswer {
  std::int32_t status = 200;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers{};  // names in lower case
  std::int64_t delay_ms = 0;
  std::int32_t failure = ORDERD_HTTP_ANSWERED;
  std::string message{};
};

class FakeHttp {
 public:
  /// What the network does. Called inside submit(), perhaps on several threads at once.
  std::function<HttpAnswer(const HttpRequest&)> server = [](const HttpRequest&) {
    return HttpAnswer{0, "", {}, 0, ORDERD_HTTP_NOT_SENT, "the fake host has no network"};
  };

  orderd_status submit(const orderd_http_request* request, std::uint64_t* number) {
    if (!request || !ORDERD_HAS(request, orderd_http_request, data) || !request->done ||
        request->url.size == 0)
      return ORDERD_E_INVALID;
    HttpRequest own{std::string(sdk::text(request->method)),
                    std::string(sdk::text(request->url)),
                    std::string(sdk::text(request->body)),
                    {},
                    request->deadline_ms};
    for (std::uint32_t i = 0; i < request->header_count; ++i)
      own.headers.emplace_back(sdk::text(request->headers[i].name), sdk::text(request->headers[i].value));
    HttpAnswer answer = server(own);
    const std::int64_t delay = answer.delay_ms;
    const auto done = request->done;
    void* const data = request->data;
    const std::uint64_t id =
        later_.call(delay, [=, answer = std::move(answer)] { deliver(answer, done, data); });
    if (id == 0) return ORDERD_E_STALE;
    std::lock_guard lock(mutex_);
    ends_[id] = {done, data};
    if (number) *number = id;
    return ORDERD_OK;
  }
  orderd_status cancel(std::uint64_t number) {
    if (!later_.cancel(number)) return ORDERD_E_STALE;
    const auto end = ends_.at(number);
    later_.call(0, [end] {
      deliver({0, "", {}, 0, ORDERD_HTTP_NOT_SENT, "cancelled"}, end.first, end.second);
    });
    return ORDERD_OK;
  }
  /// The plugin has stopped: what waits still gets its done().
  void end() {
    for (const auto& [number, one] : ends_)
      if (later_.cancel(number))
        deliver({0, "", {}, 0, ORDERD_HTTP_MAYBE_SENT, "the host stops"}, one.first, one.second);
    later_.end();
  }

 private:
  static void deliver(const HttpAnswer& answer, orderd_http_done done, void* data) {
    std::vector<orderd_header> headers;
    for (const auto& [name, value] : answer.headers) headers.push_back({sdk::view(name), sdk::view(value)});
    orderd_http_response response;
    ORDERD_CLEAR(response);
    response.failure = answer.failure;
    response.status = answer.status;
    response.header_count = static_cast<std::uint32_t>(headers.size());
    response.headers = headers.data();
    response.body = sdk::view(answer.body);
    response.message = sdk::view(answer.message);
    response.elapsed_ms = answer.delay_ms;
    done(data, &response);
  }

  std::mutex mutex_;
  std::map<std::uint64_t, std::pair<orderd_http_done, void*>> ends_;  // guarded by mutex_
  Later later_;
};

}  // namespace orderd::testing
#endif
