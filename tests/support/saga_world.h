#pragma once
// A world in memory for the saga engine: store, bus, clock and plugins, so that a whole history runs in one
// thread, the same every time.
#include <deque>
#include <functional>
#include <map>
#include <random>
#include <set>

#include "model/order_json.h"
#include "saga/engine.h"
#include "saga/inbox.h"

namespace orderd::saga::test {

class ManualClock final : public Clock {
 public:
  Time now() const override { return now_; }
  void pass(Millis time) { now_ += time; }

 private:
  Time now_{Millis(1'800'000'000'000)};
};

/// Orders, events, sagas and positions as the tables hold them. One shard.
struct Tables {
  struct Order {
    OrderBody body;
    Status status = Status::pending;
    std::int32_t version = 1;
    std::vector<Event> events;
  };
  std::map<Uuid, Order> orders;
  std::vector<Event> log;  // position = index
  std::map<Uuid, std::string> sagas, journal;
  std::map<std::string, std::string> definitions;
  std::int64_t position = -1;
  std::set<Uuid> reserved, sold;    // the stock plugin's, changed only with a commit
  int crash_at_commit = -1;         // counts down; at 0 the session breaks at COMMIT
  bool crash_after_commit = false;  // ... and PostgreSQL had committed
  std::vector<Parked> parked;
  std::vector<InboxItem> inbox;
  std::int64_t inbox_last = 0;
  std::set<std::string> switches;
  std::vector<PluginStatus> plugins;

  void put(const Uuid& id, const InboxInput& input) {
    const auto kind = std::holds_alternative<Notice>(input) ? InboxKind::notice : InboxKind::verb;
    inbox.push_back({++inbox_last, id, 0, static_cast<std::int16_t>(kind), to_json(input)});
  }
  void append(const Event& event) {
    orders.at(event.order_id).events.push_back(event);
    log.push_back(event);
  }
  Uuid place(Time at, std::int64_t total = 1000) {
    const Uuid id = Uuid::v7();
    Order& order = orders[id];
    order.body = {"c-1", "EUR", total, {{1, "SKU-1", 1, total}}, {}, "card", "{}"};
    OrderHead head{id, 1, EventType::order_created, at, Status::pending, {}, {}};
    head.payment.method = "card";
    append({id, 1, EventType::order_created, at, event_payload(head, body_members(order.body)), ""});
    return id;
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

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(Tables& tables) : tables_(tables) {}
  Ownership maintain() override {
    if (lost) return {{std::int16_t{0}}, {}};
    if (owned_) return {};
    owned_ = true;
    return {{}, {{std::int16_t{0}, tables_.position}}};
  }
  void release_all() override { owned_ = false; }
  void forget() override { owned_ = false; }
  std::vector<LiveSaga> load(const std::vector<std::int16_t>&) override {
    std::vector<LiveSaga> out;
    for (const auto& [id, data] : tables_.sagas)
      out.push_back({*from_json(data), tables_.orders.at(id).body, ""});
    return out;
  }
  std::optional<OrderNow> look_up(const Uuid& id) override {
    const Tables::Order& order = tables_.orders.at(id);
    OrderNow now{order.status, order.version, 0, order.body, "", {}, 0, {}, {}};
    for (const Event& event : order.events)
      if (event.type == EventType::order_cancel_requested) {
        now.cancel_version = event.version;
        now.cancel_at = event.at;
        now.cancel_reason = *read_head(event)->reason;
      }
    if (tables_.journal.contains(id)) now.finished = from_json(tables_.journal.at(id));
    return now;
  }
  std::map<Uuid, std::string> secrets(const std::vector<Uuid>&) override { return {}; }
  void save_definition(const std::string& digest, const std::string&, const std::string& text) override {
    tables_.definitions[digest] = text;
  }
  std::optional<std::string> definition(const std::string& digest) override {
    return tables_.definitions.at(digest);
  }
  std::vector<InboxItem> inbox(const std::set<std::int16_t>&, std::size_t) override { return tables_.inbox; }
  std::set<std::string> switches() override { return tables_.switches; }
  void report(const std::vector<PluginStatus>& plugins) override { tables_.plugins = plugins; }
  std::unique_ptr<Work> begin(const std::map<std::int16_t, std::int64_t>& positions) override;

  bool lost = false;  // another host has the shard now

 private:
  friend class MemoryWork;
  Tables& tables_;
  bool owned_ = false;
};

/// Writes a copy of the tables and puts it in their place at COMMIT.
class MemoryWork final : public Store::Work, public plugins::TxPort {
 public:
  MemoryWork(Tables& tables, std::int64_t position) : tables_(tables), next_(tables) {
    next_.position = position;
  }
  plugins::TxPort& tx() override { return *this; }
  Tables& next() { return next_; }
  std::set<Uuid> commit(const std::vector<Change>& changes, const std::vector<Parked>& parked,
                        const std::vector<std::int64_t>& taken) override {
    std::set<Uuid> not_started;
    for (const std::int64_t id : taken)
      std::erase_if(next_.inbox, [&](const auto& one) { return one.id == id; });
    for (const Change& change : changes) {
      const Uuid id = change.saga.order_id;
      Tables::Order& order = next_.orders.at(id);
      if (change.starts && (order.version != 1 || next_.sagas.contains(id))) {
        not_started.insert(id);
        continue;
      }
      if ((!change.events.empty() || change.guard) && order.version != change.expected_version)
        throw StoreError(StoreError::Kind::conflict, "version");
      for (const Event& event : change.events) next_.append(event);
      if (!change.events.empty()) {
        order.status = change.saga.status;
        order.version = change.saga.version;
      }
      next_.sagas[id] = to_json(change.saga);
      if (change.saga.mode != Mode::finished) continue;
      next_.sagas.erase(id);
      next_.journal[id] = to_json(change.saga);
    }
    next_.parked.insert(next_.parked.end(), parked.begin(), parked.end());
    if (tables_.crash_at_commit >= 0 && --next_.crash_at_commit < 0) {
      next_.crash_at_commit = tables_.crash_at_commit = -1;
      if (tables_.crash_after_commit) tables_ = std::move(next_);
      throw StoreError(StoreError::Kind::lost, "the test pulled the plug");
    }
    tables_ = std::move(next_);
    return not_started;
  }
  std::unique_ptr<plugins::TxResult> exec(const char*, std::span<const plugins::TxParam>, bool) override {
    return nullptr;
  }
  void savepoint() override {}
  void release_savepoint() override {}
  void rollback_to_savepoint() override {}

 private:
  Tables& tables_;
  Tables next_;
};

inline std::unique_ptr<Store::Work> MemoryStore::begin(
    const std::map<std::int16_t, std::int64_t>& positions) {
  const auto found = positions.find(0);
  return std::make_unique<MemoryWork>(tables_, found == positions.end() ? tables_.position : found->second);
}

}  // namespace orderd::saga::test
