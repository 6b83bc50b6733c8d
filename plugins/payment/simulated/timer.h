#pragma once
// Answers that are to come later, or never. One thread of its own, between start() and stop(); add() and
// cancel(): any thread.
#include <orderd/reply.hpp>

#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <thread>

namespace simulated {

class Timer {
 public:
  using Clock = std::chrono::steady_clock;

  void start();
  /// Gives what still waits its answer now, and joins.
  void stop();
  /// Without an outcome the reply is forgotten then.
  void add(Clock::time_point due, orderd::sdk::Reply reply, std::optional<orderd::sdk::Outcome> outcome);
  /// The host stopped waiting for this one.
  void cancel(orderd_ticket ticket);

 private:
  struct Entry {
    Clock::time_point due;
    orderd::sdk::Reply reply;
    std::optional<orderd::sdk::Outcome> outcome;
  };
  void run();
  static void finish(Entry& entry);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Entry> entries_;  // guarded by mutex_, in order of due
  bool stopping_ = false;     // guarded by mutex_
  std::thread thread_;
};

}  // namespace simulated
