#pragma once
// Who has which shard in the world in memory. Included by saga_world_store.h.
#include "support/saga_world_store.h"

namespace orderd::saga::test {

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
