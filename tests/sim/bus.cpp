#include "sim/bus.h"

#include "sim/world.h"

namespace orderd::sim {

void Bus::publish() {
  const Event& event = world_.tables.log[handed_over_++];
  topics_[world_.tables.orders.at(event.order_id).shard].push_back(event);
}

void Bus::turn() {
  const std::size_t end = world_.tables.log.size();
  if (!world_.plan.relay) {
    while (handed_over_ < end) publish();
    saved_ = handed_over_;
    return;
  }
  if (world_.random.chance(30)) return;  // it lags
  const auto dies = [&](Hit hit) {
    if (!world_.per_mille(world_.plan.crash * 3)) return false;
    world_.hit(hit);
    world_.say([] { return "the relay dies, and sends again behind its saved position"; });
    if (handed_over_ > saved_) world_.hit(Hit::event_twice);
    handed_over_ = saved_;
    ++world_.crashes;
    return true;
  };
  if (dies(Hit::relay_before_publish)) return;
  for (int left = world_.random.between(1, 8); left > 0 && handed_over_ < end; --left) publish();
  if (dies(Hit::relay_after_publish)) return;
  if (world_.calm || world_.random.chance(50)) saved_ = handed_over_;
}

bool Bus::is_lost(const Event& event) {
  const bool matters =
      event.type == EventType::order_created || event.type == EventType::order_cancel_requested;
  constexpr std::size_t one_of = 40;
  if (!world_.plan.relay || !matters) return false;
  const std::size_t drawn = std::hash<Uuid>()(event.order_id) + static_cast<std::size_t>(event.version);
  if (drawn % one_of != 0) return false;
  world_.hit(Hit::event_lost);
  return true;
}

bool Bus::is_idle() const { return saved_ == world_.tables.log.size(); }

}  // namespace orderd::sim
