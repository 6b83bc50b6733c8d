#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace orderd {

/// Wakes loops that poll. A loop takes `count()` before it reads, and sleeps in `wait()` only while the count
/// is still the same after an empty read: nothing raised in between is missed. [any thread]
class Signal {
 public:
  std::uint64_t count() const {
    std::lock_guard lock(mutex_);
    return count_;
  }
  void raise() {
    {
      std::lock_guard lock(mutex_);
      ++count_;
    }
    changed_.notify_all();
  }
  /// Returns when the count differs from `seen`, or after `timeout`.
  void wait(std::uint64_t seen, std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, timeout, [&] { return count_ != seen; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t count_ = 0;  // guarded by mutex_
};

}  // namespace orderd
