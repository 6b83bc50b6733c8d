#include "saga/engine/timers.h"

#include <algorithm>

namespace orderd::saga {
namespace {

/// Whether anything of this order went out to a plugin before.
bool has_begun(const Saga& saga) {
  const OpenCommand& open = *saga.open;
  return open.sequence > 1 || open.attempt > 1 || open.sends > 0 || open.unknown;
}

}  // namespace

void Timers::take_due(std::vector<Task>& tasks) {
  const Time now = set_.clock.now();
  const auto due = [&](const Uuid& id) { tasks.push_back({id, Due{}}); };
  set_.take_from_shelf(set_.shelf.next(set_.options.orders_per_tick_max, [&](const auto& instance,
                                                                             const auto& action) {
    return !set_.admission.shut(instance, action) && set_.admission.held(instance) < set_.options.held_max;
  }));
  for (auto& [id, permit] :
       set_.admission.release(now, [this](const Uuid& one) { return set_.due_action(one); })) {
    set_.permits.insert_or_assign(id, std::move(permit));
    due(id);
  }
  const std::size_t most = tasks.size() + set_.options.orders_per_tick_max;
  while (!set_.timers.empty() && set_.timers.begin()->first <= now && tasks.size() < most) {
    const Uuid id = set_.timers.begin()->second;
    set_.timers.erase(set_.timers.begin());
    if (set_.shelf.has(id)) due(id);  // another time of its own
    const auto found = set_.sagas.find(id);
    if (found == set_.sagas.end()) continue;
    const Facts known = set_.facts(found->second);
    const auto wake = wake_time(known, found->second.saga);
    if (!wake || *wake > now) continue;
    const auto other = wake_time(known, found->second.saga, true);
    const plugins::StepPort* port = set_.external_port(found->second);
    const std::string action = set_.due_action(id);
    if (!port || action.empty() || (other && *other <= now)) {
      due(id);
    } else if (auto permit = set_.admission.admit(port->instance(), action, id, now)) {
      set_.permits.insert_or_assign(id, std::move(*permit));
      due(id);
    } else {
      set_.admission.hold(port->instance(), action, id, has_begun(found->second.saga));
      set_.schedule(found->second, true);
      if (set_.admission.held(port->instance()) > set_.options.held_max &&
          set_.admission.shut(port->instance(), action))
        set_.put_on_shelf(id, port->instance(), action);
    }
  }
  std::erase_if(set_.retry_queue, [&](auto& one) {
    if (one.first > now || one.second.blocked) return false;
    tasks.push_back(std::move(one.second));
    return true;
  });
}

Millis Timers::until_next(Time latest) const {
  if (!set_.unsent.empty()) return Millis(0);
  Time next = latest;
  if (!set_.timers.empty()) next = std::min(next, set_.timers.begin()->first);
  for (const auto& [time, task] : set_.retry_queue) next = std::min(next, time);
  return std::max(Millis(0), next - set_.clock.now());
}

}  // namespace orderd::saga
