#pragma once
// The saga's storage port over tables in memory. Several hosts may share the tables: shards are owned under
// leases, and whoever lost one cannot write for it, as in outbox/leases.cpp.
#include <algorithm>
#include <functional>
#include <memory>
#include <optional>

#include "saga/storage/port.h"
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
    return live([&](const Uuid& id) { return contains(shards, tables_.orders.at(id).shard); });
  }
  std::vector<LiveSaga> load_orders(const std::vector<Uuid>& ids) override {
    return live([&](const Uuid& id) { return contains(ids, id); });
  }
  std::map<Uuid, OrderNow> look_up(const std::vector<Uuid>& ids) override {
    std::map<Uuid, OrderNow> out;
    ++tables_.look_ups;
    for (const Uuid& id : ids)
      if (const auto order = tables_.orders.find(id); order != tables_.orders.end())
        out[id] = tables_.now(id, order->second);
    return out;
  }
  std::map<Uuid, std::optional<std::string>> secrets(const std::vector<Uuid>& ids) override {
    std::map<Uuid, std::optional<std::string>> out;
    for (const Uuid& id : ids)
      if (tables_.sealed_with_another_key.contains(id)) out[id] = std::nullopt;
    return out;
  }
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
  std::vector<Forgotten> forgotten(const std::set<std::int16_t>& shards, ForgottenCursor&) override;
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
  template <typename T>
  static bool contains(const std::vector<T>& all, const T& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  }
  std::vector<LiveSaga> live(const std::function<bool(const Uuid&)>& wanted) const {
    std::vector<LiveSaga> out;
    for (const auto& [id, data] : tables_.sagas)
      if (wanted(id)) out.push_back({*from_json(data), tables_.orders.at(id).body, ""});
    return out;
  }
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

}  // namespace orderd::saga::test

#include "support/saga_world_forgotten.h"
#include "support/saga_world_leases.h"
#include "support/saga_world_work.h"
