#pragma once
// One transaction over the tables in memory. Included by saga_world_store.h.
#include "support/saga_world_store.h"

namespace orderd::saga::test {

/// One transaction. What the stock plugin writes is seen by its later statements, by others after COMMIT.
class MemoryWork final : public Store::Work, public plugins::TxPort {
 public:
  MemoryWork(MemoryStore& store, std::map<std::int16_t, std::int64_t> positions)
      : store_(store), tables_(store.tables_), positions_(std::move(positions)) {}
  TxPort& tx() override { return *this; }
  Tables::Stock& stock() {
    if (!stock_) stock_ = tables_.stock;
    return *stock_;
  }
  std::set<Uuid> commit(const std::vector<Change>& changes, const std::vector<DeadLetter>& parked,
                        const std::vector<std::int64_t>& taken) override;
  std::unique_ptr<plugins::TxResult> exec(const char*, std::span<const plugins::TxParam>, bool) override {
    return nullptr;
  }
  void savepoint() override {}
  void release_savepoint() override {}
  void rollback_to_savepoint() override {}

 private:
  std::set<Uuid> check(const std::vector<Change>& changes, const std::vector<std::int64_t>& taken) const;
  void apply(const Change& change);

  MemoryStore& store_;
  Tables& tables_;
  const std::map<std::int16_t, std::int64_t> positions_;
  std::optional<Tables::Stock> stock_;
};

/// All that PostgreSQL would refuse; returns the orders whose saga is not started.
inline std::set<Uuid> MemoryWork::check(const std::vector<Change>& changes,
                                        const std::vector<std::int64_t>& taken) const {
  for (const auto& [shard, position] : positions_) {
    const auto held = store_.held_.find(shard);
    if (held == store_.held_.end() || held->second != tables_.owners.at(shard).epoch)
      throw StoreError(StoreError::Kind::lost, "OD001 positions: another host has the shard");
  }
  for (const std::int64_t id : taken)
    if (std::none_of(tables_.inbox.begin(), tables_.inbox.end(),
                     [&](const auto& one) { return one.id == id; }))
      throw StoreError(StoreError::Kind::lost, "OD001 saga_inbox: another host took the row");
  if (stock_ && stock_->writes != tables_.stock.writes)
    throw StoreError(StoreError::Kind::lost, "the stock's rows were locked for too long");
  std::set<Uuid> not_started;
  for (const Change& change : changes) {
    const Uuid& id = change.saga.order_id;
    const Tables::Order& order = tables_.orders.at(id);
    if (tables_.blocked.contains(id))
      throw StoreError(StoreError::Kind::blocked, "the test holds this order's row");
    if (id == tables_.refused) throw StoreError(StoreError::Kind::refused, "the test refuses this order");
    if (change.starts) {
      if (order.version != 1 || tables_.sagas.contains(id)) not_started.insert(id);
    } else if ((!change.events.empty() || change.guard) && order.version != change.expected_version) {
      throw StoreError(StoreError::Kind::conflict, "OD002 order_state: another version");
    }
    if (change.reopens && change.saga.mode != Mode::finished && tables_.sagas.contains(id))
      throw StoreError(StoreError::Kind::refused, "sagas: there is one already");
  }
  return not_started;
}

inline void MemoryWork::apply(const Change& change) {
  const Uuid& id = change.saga.order_id;
  Tables::Order& order = tables_.orders.at(id);
  tables_.touched.push_back(id);
  for (const Event& event : change.events) tables_.append(event);
  if (!change.events.empty()) {
    order.status = change.saga.status;
    order.version = change.saga.version;
  }
  if (change.saga.mode == Mode::finished) {
    if (!change.reopens) tables_.sagas.erase(id);
    tables_.journal[id] = to_json(change.saga);
  } else if (change.starts || change.reopens || tables_.sagas.contains(id)) {
    tables_.sagas[id] = to_json(change.saga);
  }
}

inline std::set<Uuid> MemoryWork::commit(const std::vector<Change>& changes,
                                         const std::vector<DeadLetter>& parked,
                                         const std::vector<std::int64_t>& taken) {
  store_.before_commit();
  ++tables_.commits;
  const bool breaks = tables_.crash_at_commit >= 0 && tables_.crash_at_commit-- == 0;
  if (breaks && !tables_.crash_after_commit)
    throw StoreError(StoreError::Kind::lost, "the test pulled the plug");
  const std::set<Uuid> not_started = check(changes, taken);
  for (const auto& [shard, position] : positions_) {
    Tables::Owner& owner = tables_.owners.at(shard);
    owner.position = position;
    owner.until = store_.clock_.now() + store_.lease_;
  }
  std::erase_if(tables_.inbox, [&](const InboxItem& item) {
    return std::find(taken.begin(), taken.end(), item.id) != taken.end();
  });
  for (const Change& change : changes)
    if (!not_started.contains(change.saga.order_id)) apply(change);
  tables_.parked.insert(tables_.parked.end(), parked.begin(), parked.end());
  if (stock_) {
    ++stock_->writes;
    tables_.stock = std::move(*stock_);
  }
  if (breaks) throw StoreError(StoreError::Kind::lost, "the test pulled the plug, and COMMIT had happened");
  if (tables_.stands_still) tables_.stands_still();
  store_.after_commit();
  return not_started;
}

inline std::unique_ptr<Store::Work> MemoryStore::begin(
    const std::map<std::int16_t, std::int64_t>& positions) {
  return std::make_unique<MemoryWork>(*this, positions);
}

}  // namespace orderd::saga::test
