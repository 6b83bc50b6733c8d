#pragma once
#include <memory>
#include <set>

#include "base/metrics.h"
#include "bus/event_bus.h"
#include "outbox/consumer.h"
#include "outbox/log.h"
#include "store/connection_options.h"

namespace orderd::relay {

/// Moves the outbox to the bus: reads behind its saved position, publishes in that order, and moves the
/// position only over what the broker acknowledged. After a crash or a publisher's restart a tail is sent
/// again: duplicates, but first occurrences stay in version order. A shard's next events go out when those
/// before are acknowledged, so that batches form by themselves and a slow broker is asked less often, not
/// more. An event that the broker refuses parks its order, visibly; the shard goes on. One thread runs it;
/// one host at a time per shard, by lease.
class Relay final : public outbox::Consumer {
 public:
  Relay(store::ConnectionOptions options, outbox::LeaseOptions leases,
        std::unique_ptr<bus::Publisher> publisher);

 private:
  using Clock = std::chrono::steady_clock;
  void maintain(const outbox::Leases::Change& change) override;
  void work(std::chrono::milliseconds wait) override;
  void forget(const std::vector<std::int16_t>& was_held) override;
  void rest(std::chrono::milliseconds wait) override;
  void wake() override { outbox::appended().raise(); }
  void finish() override;
  std::chrono::milliseconds pace() const override;
  bool publish();
  bool is_under_way(std::int16_t shard) const;
  bool park_follower(const bus::Outgoing& one);
  void progress(const bus::Publisher::Progress& progress);
  void save();
  void look_for_replays();
  void begin_replay();
  void forget_replays();

  const std::unique_ptr<bus::Publisher> publisher_;
  std::map<std::int16_t, std::int64_t> handed_over_, acknowledged_;  // per owned shard
  std::map<std::pair<std::int16_t, std::int64_t>, std::pair<Uuid, std::int32_t>>
      in_flight_;  // to name what is refused
  std::set<Uuid> parked_orders_;
  std::vector<outbox::DeadLetter> parking_;
  std::vector<bus::Outgoing> waiting_;  // read, but not taken by the publisher yet
  // Dead letters that are published again: all of an order's, when nothing else is on its way.
  std::vector<outbox::Replay> replays_;
  bool replaying_ = false;
  Clock::time_point saved_{};
  std::size_t turn_ = 0;
  std::int64_t refused_ = 0;  // letters of parking_ that the broker made, for the counter
  Uuid epoch_{};              // of the log
  Metrics::Counter& published_;
  Metrics::Gauge& lag_;
  Metrics::Counter& parked_;
};

}  // namespace orderd::relay
