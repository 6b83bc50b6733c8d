#pragma once
#include <memory>
#include <mutex>
#include <vector>

namespace orderd::http::front {

class Exchange;

/// The way back to the I/O thread for exchanges that are answered or have taken their socket over. A push
/// wakes the I/O thread only if it sleeps: a batch of answers costs one system call. [any thread]
class CompletionQueue {
 public:
  using Items = std::vector<std::shared_ptr<Exchange>>;

  CompletionQueue();
  ~CompletionQueue();
  CompletionQueue(const CompletionQueue&) = delete;
  CompletionQueue& operator=(const CompletionQueue&) = delete;

  void push(std::shared_ptr<Exchange> exchange);
  void wake();
  /// Later pushes are dropped, and so is what is waiting.
  void close();

  // The I/O thread's side.
  /// Replaces `items` by all that is waiting. If that is nothing, the next push wakes, so it is safe to
  /// sleep.
  void take(Items& items);
  /// Readable after a wake; `woken()` makes it unreadable again.
  int wake_fd() const { return wake_fd_; }
  void woken();

 private:
  const int wake_fd_;
  std::mutex mutex_;
  Items items_;            // guarded by mutex_
  bool sleeping_ = false;  // guarded by mutex_
  bool closed_ = false;    // guarded by mutex_
};

}  // namespace orderd::http::front
