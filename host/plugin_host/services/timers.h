#pragma once
// "orderd.clock/1" of one instance: calls at their time, one after another, on one thread that is made with
// the first of them. [any thread]
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "base/clock.h"

namespace orderd::plugins {

class Timers {
 public:
  static constexpr std::size_t waiting_max = 10'000;
  static constexpr Millis delay_max{std::int64_t{30} * 24 * 3600 * 1000};

  ~Timers() { end(); }
  enum class Answer { set, full, ended };
  /// `number` is never 0. Nothing is called before open().
  Answer call_after(Millis delay, std::function<void()> call, std::uint64_t& number);
  /// False if it was called, is being called, or never was.
  bool cancel(std::uint64_t number);
  void open();
  /// Drops what waits; when it returns nothing is running. Not from inside a call.
  void end();

 private:
  using At = std::pair<std::chrono::steady_clock::time_point, std::uint64_t>;
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<At, std::function<void()>> waiting_;                          // guarded by mutex_
  std::map<std::uint64_t, std::chrono::steady_clock::time_point> when_;  // by number; guarded by mutex_
  std::uint64_t last_ = 0;                                               // guarded by mutex_
  bool open_ = false, ended_ = false;                                    // guarded by mutex_
  std::thread thread_;                                                   // made under mutex_
};

}  // namespace orderd::plugins
