// One thread that calls things at their time: timers and the answers of the fake HTTP client.
#ifndef ORDERD_TESTING_LATER_HPP
#define ORDERD_TESTING_LATER_HPP

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace orderd::testing {

inline std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}
inline std::int64_t monotonic_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

/// [any thread], but end() and the destructor not from inside a call. The thread is made with the first call.
class Later {
 public:
  ~Later() { end(); }
  /// 0 if it has ended.
  std::uint64_t call(std::int64_t delay_ms, std::function<void()> what) {
    std::lock_guard lock(mutex_);
    if (ended_) return 0;
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    const std::uint64_t number = ++last_;
    waiting_.emplace(std::make_pair(monotonic_ms() + delay_ms, number), std::move(what));
    changed_.notify_all();
    return number;
  }
  /// What was waiting, if it was.
  std::optional<std::function<void()>> cancel(std::uint64_t number) {
    std::lock_guard lock(mutex_);
    for (auto at = waiting_.begin(); at != waiting_.end(); ++at) {
      if (at->first.second != number) continue;
      auto what = std::move(at->second);
      waiting_.erase(at);
      return what;
    }
    return std::nullopt;
  }
  std::size_t waiting() const {
    std::lock_guard lock(mutex_);
    return waiting_.size();
  }
  /// Drops what waits; returns when nothing is running.
  void end() {
    {
      std::lock_guard lock(mutex_);
      ended_ = true;
      waiting_.clear();
      changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!ended_) {
      if (waiting_.empty()) {
        changed_.wait(lock);
        continue;
      }
      const std::int64_t wait = waiting_.begin()->first.first - monotonic_ms();
      if (wait > 0) {
        changed_.wait_for(lock, std::chrono::milliseconds(wait));
        continue;
      }
      const auto what = std::move(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
      lock.unlock();
      what();
      lock.lock();
    }
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::pair<std::int64_t, std::uint64_t>, std::function<void()>> waiting_;  // guarded by mutex_
  std::uint64_t last_ = 0;                                                           // guarded by mutex_
  bool ended_ = false;                                                               // guarded by mutex_
  std::thread thread_;
};

}  // namespace orderd::testing
#endif
