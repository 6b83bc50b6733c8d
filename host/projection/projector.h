#pragma once
#include <map>
#include <memory>
#include <vector>

#include "base/metrics.h"
#include "bus/event_bus.h"
#include "outbox/consumer.h"
#include "plugin_ports/projection.h"
#include "store/unit_of_work.h"

namespace orderd::projection {

/// Feeds one projection plugin from the bus: a batch of events and the new position are one transaction, so
/// each event takes effect once. What comes twice the plugin knows by its version; what comes too early is
/// completed from order_events. An order whose row somebody has locked is left aside and taken up from
/// order_events later; the position waits for it, the others do not. One thread runs it.
class Projector final : public outbox::Consumer {
 public:
  Projector(store::ConnectionOptions options, outbox::LeaseOptions leases,
            std::unique_ptr<bus::Subscription> events, plugins::ProjectionPort& port);

 private:
  void maintain(const outbox::Leases::Change& change) override;
  void work(std::chrono::milliseconds wait) override;
  void forget(const std::vector<std::int16_t>& was_held) override;
  void rest(std::chrono::milliseconds wait) override { (void)events_->poll(1, wait); }
  void wake() override { events_->wake(); }
  using Positions = std::map<std::int16_t, std::int64_t>;
  using Records = std::vector<const bus::Record*>;
  struct Counts {
    std::int64_t applied = 0, duplicates = 0, parked = 0;
  };
  /// How often locks were met while a batch was taken apart.
  struct Trial {
    int failed = 0, written = 0;
  };
  struct Aside {
    std::int16_t shard = 0;
    std::int64_t read = 0;     // the how many-th it was read
    bus::Position before = 0;  // the shard's position then
    std::chrono::steady_clock::time_point due{};
    int failures = 0;
  };
  void apply(const std::vector<bus::Record>& records);
  void write(const Records& records, const Positions& to);
  struct Order {
    Records records;
    std::int64_t read = 0;  // as in Aside
    bus::Position before = 0;
  };
  void in_halves(const std::vector<Order>& orders, Trial& trial);
  void set_aside(const Order& order);
  void take_up_aside();
  Positions settled();
  void apply_history(const Uuid& order_id, std::int16_t shard, bool replay);
  void repair(store::UnitOfWork& work, const bus::Record& record, Counts& counts);
  void park(store::UnitOfWork& work, const bus::Record& record, const std::string& reason, Counts& counts);
  void replay();

  const std::unique_ptr<bus::Subscription> events_;
  plugins::ProjectionPort& port_;
  std::vector<bus::Record>
      retry_;       // a batch whose transaction was lost: done again before anything else is read
  Positions read_;  // what was taken from the bus, by shard
  std::int64_t orders_read_ = 0;
  std::map<Uuid, Aside> aside_;  // orders that wait for somebody's lock
  Metrics::Counter &applied_, &duplicates_, &parked_;
  Metrics::Gauge& lag_;
};

/// The event as the plugin takes it; `parsed` keeps what the views need. False if the payload cannot be read.
bool to_projection_event(const Event& event, plugins::ProjectionEvent& out);

/// Builds the projection again from order_events, beside the live tables, then puts it in their place.
/// `progress` gets the number of events applied so far. Throws store::DbError or plugins::TxError; the
/// live tables are then as they were.
void rebuild(store::Connection& connection, const std::string& consumer, plugins::ProjectionPort& port,
             const std::function<void(std::int64_t)>& progress);

}  // namespace orderd::projection
