#include "plugin_host/services/timers.h"

namespace orderd::plugins {

Timers::Answer Timers::call_after(Millis delay, std::function<void()> call, std::uint64_t& number) {
  std::lock_guard lock(mutex_);
  if (ended_) return Answer::ended;
  if (waiting_.size() >= waiting_max) return Answer::full;
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  number = ++last_;
  const auto when = std::chrono::steady_clock::now() + delay;
  when_[number] = when;
  waiting_.emplace(At(when, number), std::move(call));
  changed_.notify_all();
  return Answer::set;
}

bool Timers::cancel(std::uint64_t number) {
  std::lock_guard lock(mutex_);
  const auto found = when_.find(number);
  if (found == when_.end()) return false;
  waiting_.erase(At(found->second, number));
  when_.erase(found);
  return true;
}

void Timers::open() {
  std::lock_guard lock(mutex_);
  open_ = true;
  changed_.notify_all();
}

void Timers::end() {
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
    waiting_.clear();
    when_.clear();
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Timers::run() {
  std::unique_lock lock(mutex_);
  while (!ended_) {
    if (!open_ || waiting_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const At next = waiting_.begin()->first;
    if (next.first > std::chrono::steady_clock::now()) {
      changed_.wait_until(lock, next.first);
      continue;
    }
    const auto call = std::move(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    when_.erase(next.second);
    lock.unlock();
    call();
    lock.lock();
  }
}

}  // namespace orderd::plugins
