#pragma once
// "orderd.http/1" of one instance, on libcurl's multi interface: one thread, made with the first request,
// drives all of them and calls their ends. [any thread]
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace orderd::plugins {

struct HttpCall {
  std::string method, url, body;
  std::vector<std::pair<std::string, std::string>> headers;
  Time deadline{};
  std::size_t response_bytes_max = std::size_t{1} << 20;
};

struct HttpResult {
  enum class Kind { answered = 0, not_sent = 1, maybe_sent = 2, misused = 3 };
  Kind kind = Kind::not_sent;
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  std::string message;  // of a failure
};

class HttpClient {
 public:
  static constexpr std::size_t requests_max = 1000;
  using Done = std::function<void(const HttpResult&)>;

  HttpClient();
  ~HttpClient();
  enum class Answer { taken, full, ended };
  /// Taken: `done` is called exactly once, on the client's thread; it must not wait. `number` is never 0.
  Answer submit(HttpCall call, Done done, std::uint64_t& number);
  /// False if it has ended, or is ending.
  bool cancel(std::uint64_t number);
  /// Ends what is under way; when it returns every done() has returned. Not from inside one.
  void end();

 private:
  struct Transfer;
  struct Loop;  // libcurl's handles: the thread's alone
  void run();

  std::mutex mutex_;
  std::map<std::uint64_t, std::shared_ptr<Transfer>> open_;  // shared with the thread; guarded by mutex_
  std::vector<std::shared_ptr<Transfer>> fresh_;             // for the thread to begin; guarded by mutex_
  std::uint64_t last_ = 0;                                   // guarded by mutex_
  bool ended_ = false;                                       // guarded by mutex_
  std::unique_ptr<Loop> loop_;
  std::thread thread_;  // made under mutex_
};

}  // namespace orderd::plugins
