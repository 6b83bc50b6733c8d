#include "timer.h"

#include <algorithm>

namespace simulated {

void Timer::start() {
  thread_ = std::thread([this] { run(); });
}

void Timer::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Timer::add(Clock::time_point due, orderd::sdk::Reply reply,
                std::optional<orderd::sdk::Outcome> outcome) {
  {
    std::lock_guard lock(mutex_);
    const auto later =
        std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.due > due; });
    entries_.insert(later, Entry{due, std::move(reply), std::move(outcome)});
  }
  changed_.notify_all();
}

void Timer::cancel(orderd_ticket ticket) {
  std::lock_guard lock(mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    const orderd_ticket waiting = entry->reply.ticket();
    if (waiting.slot != ticket.slot || waiting.generation != ticket.generation) continue;
    entry->reply.forget();
    entries_.erase(entry);
    return;
  }
}

void Timer::finish(Entry& entry) {
  if (entry.outcome)
    entry.reply(*entry.outcome);
  else
    entry.reply.forget();
}

void Timer::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    std::list<Entry> ready;
    while (!entries_.empty() && (stopping_ || entries_.front().due <= Clock::now()))
      ready.splice(ready.end(), entries_, entries_.begin());
    if (!ready.empty()) {
      lock.unlock();
      for (Entry& entry : ready) finish(entry);
      lock.lock();
    } else if (stopping_) {
      return;
    } else if (entries_.empty()) {
      changed_.wait(lock);
    } else {
      const auto due = entries_.front().due;
      changed_.wait_until(lock, due);
    }
  }
}

}  // namespace simulated
