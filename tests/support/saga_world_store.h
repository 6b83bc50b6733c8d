#pragma once
// The saga's storage port over tables in memory. Several hosts may share the tables: shards are owned under
// leases, and whoever lost one cannot write for it, as in outbox/leases.cpp.
#include <algorithm>
#include <functional>
#include <memory>
#include <optional>

#include "saga/store.h"
#include "support/saga_tables.h"

namespace orderd::saga::test {

class MemoryStore : public Store {
 public:
  MemoryStore(Tables& tables, const Clock& clock, int host = 1, Millis lease = Millis(10'000))
      : tables_(tables), clock_(clock), host_(host), lease_(lease) {}
  Ownership maintain() override;
  void release_all() override {
    for (const auto& [shard, epoch] : held_) give_back(shard);
    tables_.hosts_seen.erase(host_);
    held_.clear();
  }
  void forget() override { held_.clear(); }
  std::vector<LiveSaga> load(const std::vector<std::int16_t>& shards) override {
    std::vector<LiveSaga> out;
    for (const auto& [id, data] : tables_.sagas) {
      const Tables::Order& order = tables_.orders.at(id);
      if (std::find(shards.begin(), shards.end(), order.shard) != shards.end())
        out.push_back({*from_json(data), order.body, ""});
    }
    return out;
  }
  std::vector<LiveSaga> load_orders(const std::vector<Uuid>& ids) override {
    std::vector<LiveSaga> out;
    for (const Uuid& id : ids)
      if (const auto found = tables_.sagas.find(id); found != tables_.sagas.end())
        out.push_back({*from_json(found->second), tables_.orders.at(id).body, ""});
    return out;
  }
  std::map<Uuid, OrderNow> look_up(const std::vector<Uuid>& ids) override {
    std::map<Uuid, OrderNow> out;
    ++tables_.look_ups;
    for (const Uuid& id : ids)
      if (const auto order = tables_.orders.find(id); order != tables_.orders.end())
        out[id] = tables_.now(id, order->second);
    return out;
  }
  std::map<Uuid, std::string> secrets(const std::vector<Uuid>&) override { return {}; }
  void save_definition(const std::string& digest, const std::string&, const std::string& text) override {
    tables_.definitions[digest] = text;
  }
  std::optional<std::string> definition(const std::string& digest) override {
    return tables_.definitions.at(digest);
  }
  std::vector<InboxItem> inbox(const std::set<std::int16_t>& shards, const InboxPlace& place,
                               std::size_t limit) override {
    std::vector<InboxItem> out;
    std::size_t before = 0, behind = 0;
    for (const InboxItem& item : tables_.inbox) {
      if (!shards.contains(item.shard) || item.id <= place.swept) continue;
      if ((item.id <= place.settled ? before : behind)++ < limit) out.push_back(item);
    }
    return out;
  }
  std::set<std::string> switches() override { return tables_.switches; }
  void report(const std::vector<PluginStatus>& plugins) override { tables_.plugins = plugins; }
  std::unique_ptr<Work> begin(const std::map<std::int16_t, std::int64_t>& positions) override;

 protected:
  /// Around the two moments of a transaction; what they throw, the engine gets.
  virtual void before_commit() {}
  virtual void after_commit() {}
  /// The shards that this host thinks it has, with their epochs.
  const std::map<std::int16_t, std::int32_t>& held() const { return held_; }

 private:
  friend class MemoryWork;
  void give_back(std::int16_t shard) {
    Tables::Owner& owner = tables_.owners.at(shard);
    if (owner.host == host_) owner.host = 0, owner.until = {};
  }

  Tables& tables_;
  const Clock& clock_;
  const int host_;
  const Millis lease_;
  std::map<std::int16_t, std::int32_t> held_;  // shard -> epoch
};

inline Ownership MemoryStore::maintain() {
  Ownership change;
  const Time now = clock_.now();
  tables_.hosts_seen[host_] = now;
  const auto alive =
      static_cast<std::size_t>(std::count_if(tables_.hosts_seen.begin(), tables_.hosts_seen.end(),
                                             [&](const auto& host) { return now - host.second < lease_; }));
  const std::size_t fair = (tables_.owners.size() + alive - 1) / alive;
  for (auto one = held_.begin(); one != held_.end();) {
    Tables::Owner& owner = tables_.owners.at(one->first);
    const bool mine = owner.host == host_ && owner.epoch == one->second;
    if (mine) owner.until = now + lease_;
    if (!mine) change.lost.push_back(one->first);
    one = mine ? std::next(one) : held_.erase(one);
  }
  while (held_.size() > fair) {
    const std::int16_t shard = held_.rbegin()->first;
    give_back(shard);
    held_.erase(shard);
    change.lost.push_back(shard);
  }
  for (auto& [shard, owner] : tables_.owners) {
    // A row of ours that is not held here was forgotten: claimed anew, with a new epoch.
    if (held_.size() >= fair || held_.contains(shard) || (owner.until >= now && owner.host != host_))
      continue;
    owner = {owner.position, host_, owner.epoch + 1, now + lease_};
    held_[shard] = owner.epoch;
    change.gained[shard] = owner.position;
  }
  return change;
}

}  // namespace orderd::saga::test

#include "support/saga_world_work.h"
