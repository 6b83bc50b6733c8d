#pragma once
// Whether the database goes on from where this host saw it last: at the start, and once a second. A host on
// one that went back would charge, ship and refund a second time what it cannot know of: it ends, and stays
// away, until a person has decided (`orderctl database accept`).
#include <condition_variable>
#include <mutex>

#include "base/worker.h"
#include "config/settings.h"
#include "outbox/continuity.h"
#include "store/pool.h"

namespace orderd {

/// Owned by main.
class DatabaseWatch {
 public:
  /// Throws config::ConfigError if the database went back; says nothing while it cannot be reached.
  explicit DatabaseWatch(const config::Settings& settings);
  /// Looks again, as the constructor does, and from now on once a second, by a thread of its own, until
  /// destruction: that ends the process if the database went back. `pool` outlives it.
  void start(store::Pool& pool);

 private:
  void check();
  void run(const std::stop_token& stop, store::Pool& pool);
  const store::ConnectionOptions database_;
  outbox::Continuity continuity_;
  std::mutex mutex_;
  std::condition_variable_any never_;
  Worker thread_;
};

}  // namespace orderd
