#pragma once
// Whether PostgreSQL can be used, found out on a thread of its own, so that readiness is a look at a value:
// whoever is asked for it waits for nothing, not even for a server that takes connections and never answers.
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>

#include "base/metrics.h"
#include "base/worker.h"
#include "store/connection.h"

namespace orderd::health {

struct ProbeOptions {
  std::chrono::milliseconds interval{1000};
  /// Without news for so long, what was known counts no more.
  std::chrono::milliseconds stale_after{5000};
};

/// Asks now and then, on a session of its own, whether the server answers and takes writes, and ends sessions
/// that a frozen host has left in a transaction (store/abandoned.h). Raises orderd_database_up. Owned by
/// main. [any thread]
class DatabaseProbe {
 public:
  /// `on_answer` is called, on the probe's thread, each time the server has answered; may be empty.
  DatabaseProbe(store::ConnectionOptions database, std::function<void()> on_answer,
                ProbeOptions options = {});
  ~DatabaseProbe();
  DatabaseProbe(const DatabaseProbe&) = delete;
  DatabaseProbe& operator=(const DatabaseProbe&) = delete;

  /// Why PostgreSQL cannot be used at this moment, for people; "" if it can. Never waits.
  std::string problem() const;

 private:
  void run();
  void end_abandoned(store::Connection& connection) const;
  std::string ask(std::unique_ptr<store::Connection>& connection) const;

  const store::ConnectionOptions database_;
  const std::function<void()> on_answer_;
  const ProbeOptions options_;
  Metrics::Gauge& up_;
  mutable std::mutex mutex_;
  std::condition_variable ended_changed_;
  bool ended_ = false;                              // guarded by mutex_
  std::string problem_;                             // guarded by mutex_
  std::chrono::steady_clock::time_point known_at_;  // guarded by mutex_
  Worker thread_;
};

}  // namespace orderd::health
