#pragma once
#include <map>
#include <memory>
#include <stop_token>
#include <vector>

#include "base/metrics.h"
#include "bus/event_bus.h"
#include "outbox/leases.h"
#include "plugin_host/ports.h"
#include "store/connection.h"

namespace orderd::projection {

/// Feeds one projection plugin from the bus: a batch of events and the new position are one transaction, so
/// each event takes effect once. What comes twice the plugin knows by its version; what comes too early is
/// completed from order_events. One thread runs it.
class Projector {
 public:
  Projector(store::ConnectionOptions options, outbox::LeaseOptions leases,
            std::unique_ptr<bus::Subscription> events, plugins::ProjectionPort& port);
  void run(std::stop_token stop);
  /// One round; waits up to `wait` for events. False while there is no database.
  bool turn(std::chrono::milliseconds wait);

 private:
  void maintain();
  void apply(std::vector<bus::Record>& records);
  void repair(store::UnitOfWork& work, const bus::Record& record);
  void park(store::UnitOfWork& work, const bus::Record& record, const std::string& reason);
  void replay();
  void lose(const std::string& why);

  const store::ConnectionOptions options_;
  outbox::Leases leases_;
  const std::unique_ptr<bus::Subscription> events_;
  plugins::ProjectionPort& port_;
  std::unique_ptr<store::Connection> connection_;
  std::chrono::steady_clock::time_point maintained_{};
  std::vector<bus::Record>
      retry_;  // a batch whose transaction was lost: done again before anything else is read
  bool away_ = false;
  Metrics::Value &applied_, &duplicates_, &parked_, &lag_;
};

/// The event as the plugin takes it; `parsed` keeps what the views need. False if the payload cannot be read.
bool to_projection_event(const Event& event, plugins::ProjectionEvent& out);

/// Builds the projection again from order_events, beside the live tables, then puts it in their place.
/// `progress` is told the number of events applied so far. Throws store::DbError or plugins::TxError; the
/// live tables are then as they were.
void rebuild(store::Connection& connection, const std::string& consumer, plugins::ProjectionPort& port,
             const std::function<void(std::int64_t)>& progress);

}  // namespace orderd::projection
