#pragma once
// Which orders nothing works on, in memory (saga/storage/forgotten.h).
#include "support/saga_world_store.h"

namespace orderd::saga::test {

inline std::vector<Forgotten> MemoryStore::forgotten(const std::set<std::int16_t>& shards, ForgottenCursor&) {
  constexpr Millis old{30'000};
  std::vector<Forgotten> out;
  for (const auto& [id, order] : tables_.orders) {
    const auto parked = [&](const DeadLetter& one) { return one.order_id == id; };
    if (!is_final(order.status) && shards.contains(order.shard) && !tables_.sagas.contains(id) &&
        order.events.back().at < clock_.now() - old &&
        std::none_of(tables_.parked.begin(), tables_.parked.end(), parked))
      out.push_back({id, order.version, order.shard, order.version});
  }
  return out;
}

}  // namespace orderd::saga::test
