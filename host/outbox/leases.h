#pragma once
// Who may consume which shard. A row of `positions` is both the consumer's place in a shard and the right to
// write for it:
//
// 1. A host claims free or expired rows, up to its fair share of the live hosts; each claim raises the
//    row's epoch.
// 2. Every transaction of the consumer moves its rows `where epoch = mine and owner = me`: that write is
//    the fence. A host that was frozen and lost its rows cannot commit anything any more. After a failover
//    an epoch may be given a second time, to another owner; what is held is claimed anew then.
// 3. Rows are renewed by use and once a second, given back on shutdown and when more hosts share the work.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "store/unit_of_work.h"

namespace orderd::outbox {

struct Held {
  std::int64_t pos = -1;
  std::int32_t epoch = 0;
};

struct LeaseOptions {
  std::string consumer;  // "saga", "projection", "relay"; with another bus another name: positions differ
  Uuid host;             // made anew at each start of the process
  int lease_ms = 8000;   // after a crash the others take over when it ran out
};

/// One consumer's shards on this host. Used by the consumer's thread only.
class Leases {
 public:
  explicit Leases(LeaseOptions options) : options_(std::move(options)) {}

  struct Change {
    std::vector<std::int16_t> gained, lost;
  };
  /// One round of claims, renewals and releases. What is in `lost` must not be worked on any more; throws
  /// DbError.
  Change maintain(store::Connection& connection);
  /// Gives everything back, so that others need not wait for the leases' end.
  void release_all(store::Connection& connection);
  /// Forgets everything without telling: after a broken session nothing is sure, so all is claimed again.
  std::vector<std::int16_t> forget();

  /// By shard. A consumer sets `pos` here after its transaction committed.
  std::map<std::int16_t, Held>& held() { return held_; }
  const std::string& consumer() const { return options_.consumer; }

  /// First statement of the consumer's transaction: moves the named shards' positions, or fails the whole
  /// transaction with sqlstate_stale_owner when one of them is no longer this host's.
  void advance(store::UnitOfWork& work, const std::map<std::int16_t, std::int64_t>& to) const;

 private:
  const LeaseOptions options_;
  std::map<std::int16_t, Held> held_;
  std::string database_;  // that they are held in; another one, and nothing is held any more
};

}  // namespace orderd::outbox
