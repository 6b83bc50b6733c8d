#include "sim/follower.h"

#include "sim/bus.h"
#include "sim/world.h"

namespace orderd::sim {

void Follower::turn() {
  if (world_.random.chance(60)) return;
  for (const auto& [shard, owner] : world_.tables.owners) {
    const auto& topic = world_.bus->topic(shard);
    std::size_t& next = saved_[shard];
    const auto old_rows = rows_;
    const std::size_t old_next = next;
    while (next < topic.size()) apply(topic[next++]);
    if (next == old_next || !world_.per_mille(world_.plan.crash * 3)) continue;
    world_.hit(Hit::follower_restart);
    if (world_.random.chance(50)) {  // before its commit
      rows_ = old_rows;
      next = old_next;
    } else {  // somebody set the position back: all that comes again is known by its version
      next = 0;
    }
  }
}

void Follower::apply(const Event& event) {
  Row& row = rows_[event.order_id];
  if (event.version <= row.version) return;
  if (event.version > row.version + 1)
    throw Wrong("the bus skips a version of " + world_.name_of(event.order_id));
  const auto head = read_head(event);
  row = {event.version, head->status, head->payment.status};
}

bool Follower::is_level() const {
  for (const auto& [id, order] : world_.tables.orders) {
    const auto row = rows_.find(id);
    if (row == rows_.end() || row->second.version != order.version) return false;
  }
  return true;
}

void Follower::compare() const {
  for (const auto& [id, order] : world_.tables.orders) {
    const auto head = read_head(order.events.back());
    const Row& row = rows_.at(id);
    if (row.status != order.status || row.status != head->status || row.payment != head->payment.status)
      throw Wrong("the read model of " + world_.name_of(id) + " is not what its last event says");
  }
}

}  // namespace orderd::sim
