#pragma once
// The laws of money, stock and the read model, judged on the live system: what the newest events of each
// shard touched, each law in one read-only statement, so in one snapshot. Orders that are under way are left
// out. How much is read does not grow with the number of orders. [the connection's thread]
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/worker.h"
#include "store/connection.h"

namespace orderd::admin {

inline constexpr std::int64_t events_per_shard_max = 20'000;

struct Violation {
  int law = 0;          // 1 no order lost, 2 money, 3 stock, 4 events, 5 read model
  std::string subject;  // an order, a SKU
  std::string what;
};
struct Verified {
  std::vector<Violation> violations;  // up to 100 a law
  std::int64_t orders = 0, products = 0;
  std::vector<std::string> left_out;  // what could not be judged, and why
};
/// `events_per_shard`: how far back it looks.
Verified verify(store::Connection& connection, std::int64_t events_per_shard);

/// Verifies a little once a minute, with a session of its own, for the metric
/// orderd_invariant_violations. Owned by main.
class Watch {
 public:
  explicit Watch(store::ConnectionOptions database);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  void run();
  void look();
  const store::ConnectionOptions database_;
  std::mutex mutex_;
  std::condition_variable ended_changed_;
  bool ended_ = false;  // guarded by mutex_
  Worker thread_;
};

}  // namespace orderd::admin
