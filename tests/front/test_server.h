#pragma once
#include <Poco/Net/HTTPRequestHandler.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "http/front/front.h"
#include "http/front/request.h"
#include "http/front/response.h"

namespace orderd::http::front::test {

inline const std::string hello = "{\"hello\":\"world\"}";
inline const std::string get_hello = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

inline std::string get(const std::string& path) { return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"; }

/// True once `condition` holds; false if it does not within a bound.
bool eventually(const std::function<bool()>& condition);

/// Answers that handlers have deferred, until the test finishes them. [any thread]
class DeferredAnswers {
 public:
  void add(DeferredAnswer answer);
  /// All of them, once there are `count`; fails the test if there are not in time.
  std::vector<DeferredAnswer> take(std::size_t count);

 private:
  std::mutex mutex_;
  std::condition_variable added_;
  std::vector<DeferredAnswer> answers_;  // guarded by mutex_
};

/// A gate that handlers wait at, so that a test decides when they go on. Opening lasts.
class Gate {
 public:
  void wait();
  void open();
  std::size_t waiting() const { return waiting_; }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;  // guarded by mutex_
  std::atomic<std::size_t> waiting_{0};
};

/// A front on a free port with a few standard paths, and more that the test adds before its first request:
/// /hello, /echo (method, size and body), /defer (into `deferred`), /gate (waits at `gate`, then hello).
class TestServer {
 public:
  using Handle = std::function<void(Request&, Poco::Net::HTTPServerResponse&)>;

  static Options quick_options();
  explicit TestServer(Options options = quick_options(), std::map<std::string, Handle> more = {},
                      ErrorRenderer renderer = render_problem);
  ~TestServer();

  std::uint16_t port() const { return front->port(); }
  std::int64_t metric(const std::string& name) const {
    for (const auto& family : metrics_.collect())
      if (family.name == "orderd_http_" + name)
        return static_cast<std::int64_t>(family.metric[0].counter.value + family.metric[0].gauge.value);
    return -1;
  }

  std::atomic<int> handled{0};  // handlers that were called
  DeferredAnswers deferred;
  Gate gate;

 private:
  Metrics metrics_;

 public:
  std::unique_ptr<Front> front;
};

}  // namespace orderd::http::front::test
