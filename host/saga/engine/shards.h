#pragma once
// Which shards this host owns, and the sagas that come and go with them. One thread, the engine's.
#include "saga/engine/batches.h"
#include "saga/engine/working_set.h"

namespace orderd::saga {

class Shards {
 public:
  Shards(WorkingSet& set, Batches& batches) : set_(set), batches_(batches) {}
  /// Renews leases, claims and gives back shards, and takes up orders that nothing works on. To be called
  /// about once a second. Throws StoreError.
  void maintain();
  /// When the leases were last renewed.
  Time maintained() const { return maintained_; }
  /// Owns nothing any more, and knows nothing: what was not committed did not happen.
  void forget_all();

 private:
  Ownership renew();
  void apply_ownership(Ownership change);
  void take_over(std::int16_t shard, std::int64_t position);
  void release_shard(std::int16_t shard);
  void take_up_unserved();
  void take_up_forgotten();

  WorkingSet& set_;
  Batches& batches_;
  Uuid unserved_up_to_{};  // where the last look at the next ended
  ForgottenCursor forgotten_;
  Time maintained_{}, unserved_read_at_{};
};

}  // namespace orderd::saga
