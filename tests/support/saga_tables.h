#pragma once
// What PostgreSQL holds of orders and their sagas, in memory: what no crash of a host touches. With a clock
// whose hands are turned by whoever runs the world.
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "model/order_json.h"
#include "saga/storage/inbox.h"
#include "saga/storage/records.h"

namespace orderd::saga::test {

class ManualClock final : public Clock {
 public:
  Time now() const override { return now_; }
  void pass(Millis time) { now_ += time; }

 private:
  Time now_{Millis(1'800'000'000'000)};
};

/// Orders, events, sagas and positions as the tables hold them.
struct Tables {
  struct Order {
    OrderBody body;
    std::int16_t shard = 0;
    Status status = Status::pending;
    std::int32_t version = 1;
    std::vector<Event> events;
  };
  /// A shard of the saga's consumer: how far it has read, and who has it.
  struct Owner {
    std::int64_t position = -1;
    int host = 0;
    std::int32_t epoch = 0;
    Time until{};
  };
  /// The stock plugin's tables: changed only with a commit. Each order takes one piece.
  struct Stock {
    std::int64_t on_hand = 1'000'000;
    std::set<Uuid> reserved, sold, closed;
    std::int64_t writes = 0;  // whoever read before another's COMMIT cannot write
  };
  std::map<Uuid, Order> orders;
  std::vector<Event> log;  // of all shards; position = index
  std::map<Uuid, std::string> sagas, journal;
  std::map<std::string, std::string> definitions;
  std::map<std::int16_t, Owner> owners{{std::int16_t{0}, {}}};
  std::map<int, Time> hosts_seen;
  Stock stock;
  int crash_at_commit = -1;                // counts down; at 0 the session breaks at COMMIT
  bool crash_after_commit = false;         // ... and PostgreSQL had committed
  std::set<Uuid> sealed_with_another_key;  // orders whose payment secret does not open
  std::function<void()> stands_still;      // right behind a COMMIT, the host does
  std::vector<DeadLetter> parked;
  std::vector<InboxItem> inbox;
  std::int64_t inbox_last = 0;
  std::set<std::string> switches;
  std::vector<PluginStatus> plugins;
  std::vector<Uuid> touched;  // orders whose saga was written, for whoever looks on
  int look_ups = 0;           // round trips for orders as they are in the database
  int commits = 0;            // that were tried
  std::set<Uuid> blocked;     // no change of these orders can be written now
  Uuid refused;               // no change of this order can be written

  void put(const Uuid& id, const InboxInput& input) {
    const auto kind = std::holds_alternative<Notice>(input) ? InboxKind::notice : InboxKind::verb;
    inbox.push_back({++inbox_last, id, orders.at(id).shard, static_cast<std::int16_t>(kind), to_json(input)});
  }
  void append(const Event& event) {
    orders.at(event.order_id).events.push_back(event);
    log.push_back(event);
  }
  Uuid place(Time at, std::int64_t total = 1000) {
    const Uuid id = Uuid::v7();
    place(id, 0, at, total);
    return id;
  }
  void place(const Uuid& id, std::int16_t shard, Time at, std::int64_t total) {
    Order& order = orders[id];
    order.shard = shard;
    order.body = {"c-1", "EUR", total, {{1, "SKU-1", 1, total}}, {}, "card", "{}"};
    OrderHead head{id, 1, EventType::order_created, at, Status::pending, {}, {}};
    head.payment.method = "card";
    append({id, 1, EventType::order_created, at, event_payload(head, body_members(order.body)), ""});
  }
  OrderNow now(const Uuid& id, const Order& order) const {
    OrderNow now{order.status, order.version, order.shard, order.body, "", {}, 0, {}, {}};
    for (const Event& event : order.events)
      if (event.type == EventType::order_cancel_requested) {
        now.cancel_version = event.version;
        now.cancel_at = event.at;
        now.cancel_reason = *read_head(event)->reason;
      }
    if (journal.contains(id)) now.finished = from_json(journal.at(id));
    return now;
  }
  bool cancel(const Uuid& id, Time at) {
    Order& order = orders.at(id);
    if (is_terminal(order.status) || order.status == Status::cancelling) return false;
    const auto last = read_head(order.events.back());
    order.status = Status::cancelling;
    ++order.version;
    const Reason reason{"CANCELLED_BY_REQUEST", "no longer wanted"};
    const OrderHead head{id,     order.version, EventType::order_cancel_requested, at, order.status,
                         reason, last->payment};
    append({id, order.version, head.type, at, event_payload(head, {}), ""});
    return true;
  }
};

}  // namespace orderd::saga::test
