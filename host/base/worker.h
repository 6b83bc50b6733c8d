#pragma once
// A thread of one part of this process, with a last resort: whatever leaves its work is logged and counted,
// and the work begins again.
#include <functional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "base/survive.h"

namespace orderd {

/// Runs `work` until it returns. Destruction asks it to stop and waits for its end. [the owner's thread]
class Worker {
 public:
  using Work = std::function<void(std::stop_token)>;
  Worker() = default;
  /// `part` is its name in the log and in orderd_thread_failures_total.
  Worker(std::string part, Work work)
      : thread_([part = std::move(part), work = std::move(work)](const std::stop_token& stop) {
          keep_running(part, stop, [&] { work(stop); });
        }) {}
  void request_stop() { thread_.request_stop(); }
  /// Waits for its end without asking for it.
  void join() { thread_.join(); }

 private:
  std::jthread thread_;
};

}  // namespace orderd
