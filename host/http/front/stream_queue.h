#pragma once
// What waits between whoever appends to a streamed answer and the I/O thread.
#include <deque>
#include <mutex>
#include <utility>

#include "http/front/streamed_answer.h"

namespace orderd::http::front {

class StreamQueue {
 public:
  using Bytes = StreamedAnswer::Bytes;
  using State = StreamedAnswer::State;

  explicit StreamQueue(const StreamLimits& limits) : limits_(limits) {}
  const StreamLimits& limits() const { return limits_; }

  // The owner's side: true if the I/O thread must look. [any thread]
  bool append(Bytes bytes) {
    std::lock_guard lock(mutex_);
    if (state_ != State::open) return false;
    if (unsent_ > limits_.unsent_bytes_max) {
      state_ = State::slow;
    } else {
      unsent_ += bytes->size();
      waiting_.push_back(std::move(bytes));
    }
    return !std::exchange(noticed_, true);
  }
  bool end() {
    std::lock_guard lock(mutex_);
    if (state_ != State::open) return false;
    state_ = State::ended;
    return !std::exchange(noticed_, true);
  }
  State state() const {
    std::lock_guard lock(mutex_);
    return state_;
  }

  // The I/O thread's side.
  /// Moves what waits to the end of `out`; the state.
  State take(std::deque<Bytes>& out) {
    std::lock_guard lock(mutex_);
    noticed_ = false;
    for (Bytes& bytes : waiting_) out.push_back(std::move(bytes));
    waiting_.clear();
    return state_;
  }
  void sent(std::size_t bytes) {
    std::lock_guard lock(mutex_);
    unsent_ -= bytes;
  }
  /// The connection is no more.
  void close(State why) {
    attached_ = false;
    std::lock_guard lock(mutex_);
    if (state_ == State::open) state_ = why;
    waiting_.clear();
  }
  bool is_attached() const { return attached_; }

 private:
  const StreamLimits limits_;
  bool attached_ = true;  // to a connection; the I/O thread's
  mutable std::mutex mutex_;
  std::deque<Bytes> waiting_;  // guarded by mutex_, as the rest
  std::size_t unsent_ = 0;     // of those and of what the I/O thread has taken
  State state_ = State::open;
  bool noticed_ = true;  // the I/O thread will look anyway; at first it comes with the exchange itself
};

}  // namespace orderd::http::front
