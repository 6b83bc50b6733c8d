#pragma once
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

namespace orderd {

/// A bounded queue from which batches form by themselves: a reader takes what is waiting, up to a limit, and
/// never waits for a batch to fill. `push` refuses when full; the caller says so to whoever asked. [any
/// thread]
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t items_max) : items_max_(items_max) {}

  /// Moves `item` in. False when the queue is full or closed; `item` is then untouched.
  [[nodiscard]] bool push(T& item) {
    {
      std::lock_guard lock(mutex_);
      if (closed_ || items_.size() >= items_max_) return false;
      items_.push_back(std::move(item));
    }
    filled_.notify_one();
    return true;
  }
  /// Moves `items` in from the front, as many as fit, at once: a reader finds them as one batch. How many.
  [[nodiscard]] std::size_t push_all(std::vector<T>& items) {
    std::size_t taken = 0;
    {
      std::lock_guard lock(mutex_);
      if (!closed_ && items_.size() < items_max_) taken = std::min(items.size(), items_max_ - items_.size());
      const auto end = items.begin() + static_cast<std::ptrdiff_t>(taken);
      items_.insert(items_.end(), std::make_move_iterator(items.begin()), std::make_move_iterator(end));
    }
    if (taken > 0) filled_.notify_one();  // who leaves something wakes the next
    return taken;
  }
  /// Takes 1..max items; none after `timeout`, or once closed and empty. A timeout of zero only looks.
  std::vector<T> take(std::size_t max, std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    if (timeout.count() > 0) filled_.wait_for(lock, timeout, [&] { return closed_ || !items_.empty(); });
    const auto end = items_.begin() + static_cast<std::ptrdiff_t>(std::min(max, items_.size()));
    std::vector<T> taken(std::make_move_iterator(items_.begin()), std::make_move_iterator(end));
    items_.erase(items_.begin(), end);
    if (!items_.empty()) filled_.notify_one();
    return taken;
  }
  void close() {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
    }
    filled_.notify_all();
  }
  bool closed() const {
    std::lock_guard lock(mutex_);
    return closed_ && items_.empty();
  }
  std::size_t size() const {
    std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  const std::size_t items_max_;
  mutable std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<T> items_;  // guarded by mutex_
  bool closed_ = false;  // guarded by mutex_
};

}  // namespace orderd
