// What waits in the engine: for its time, or at the gate for its plugin.
#include <iterator>
#include <utility>

#include "saga/engine/engine.h"

namespace orderd::saga {
namespace {

constexpr std::size_t set_aside_max = 32768;  // tasks, about 1 KB each, before no more are read

/// Whether anything of this order went out to a plugin before.
bool has_begun(const Saga& saga) {
  const OpenCommand& open = *saga.open;
  return open.sequence > 1 || open.attempt > 1 || open.sends > 0 || open.unknown;
}

}  // namespace

/// Reads what is new, unless too much of it waits already: in the log it costs nothing. Then an answer is
/// what ends the wait.
void Engine::read_on(std::vector<Task>& tasks, Millis wait) {
  const Millis idle = tasks.empty() ? until_next_timer(wait) : Millis(0);
  const std::size_t waiting = admission_.waiting_for_room();
  const bool several = waiting >= options_.waiting_max && plugins_.external_instances().size() > 1;
  if (retry_queue_.size() < set_aside_max &&
      waiting < (several ? options_.waiting_max_of_several : options_.waiting_max))
    return read(orders_.poll(options_.orders_per_tick_max, idle), tasks);
  take_answers(tasks, idle);
}

void Engine::take_answers(std::vector<Task>& tasks, Millis wait) {
  std::move(unsent_.begin(), unsent_.end(), std::back_inserter(tasks));
  unsent_.clear();
  for (Completion& completion :
       completions_.take(options_.orders_per_tick_max, tasks.empty() ? wait : Millis(0)))
    tasks.push_back(answer(std::move(completion)));
}

void Engine::take_due(std::vector<Task>& tasks) {
  const Time now = clock_.now();
  const auto due = [&](const Uuid& id, bool admitted) {
    Task task{id, Due{}};
    task.admitted = admitted;
    tasks.push_back(std::move(task));
  };
  take_from_shelf(shelf_.next(options_.orders_per_tick_max, [&](const auto& instance, const auto& action) {
    return !admission_.shut(instance, action) && admission_.held(instance) < options_.held_max;
  }));
  for (const Uuid& id : admission_.release(now, [this](const Uuid& one) { return due_action(one); }))
    due(id, true);
  const std::size_t most = tasks.size() + options_.orders_per_tick_max;
  while (!timers_.empty() && timers_.begin()->first <= now && tasks.size() < most) {
    const Uuid id = timers_.begin()->second;
    timers_.erase(timers_.begin());
    if (shelf_.has(id)) due(id, false);  // another time of its own
    const auto found = live_.find(id);
    if (found == live_.end()) continue;
    const Facts known = facts(found->second);
    const auto wake = wake_time(known, found->second.saga);
    if (!wake || *wake > now) continue;
    const auto other = wake_time(known, found->second.saga, true);
    const plugins::StepPort* port = external_port(found->second);
    const std::string action = due_action(id);
    if (!port || action.empty() || (other && *other <= now)) {
      due(id, false);
    } else if (admission_.admit(port->instance(), action, id, now)) {
      due(id, true);
    } else {
      admission_.hold(port->instance(), action, id, has_begun(found->second.saga));
      schedule(found->second, true);
      if (admission_.held(port->instance()) > options_.held_max && admission_.shut(port->instance(), action))
        put_on_shelf(id, port->instance(), action);
    }
  }
  std::erase_if(retry_queue_, [&](auto& one) {
    if (one.first > now || one.second.blocked) return false;
    tasks.push_back(std::move(one.second));
    return true;
  });
}

/// All of it is in `sagas` as it is here.
void Engine::put_on_shelf(const Uuid& id, const std::string& instance, const std::string& action) {
  const auto found = live_.find(id);
  shelf_.put(id, found->second.saga.shard, instance, action);
  admission_.forget(id);
  live_.erase(found);
}

void Engine::take_from_shelf(const std::vector<Uuid>& ids) {
  std::vector<Uuid> wanted;
  for (const Uuid& id : ids)
    if (shelf_.has(id)) wanted.push_back(id);
  if (wanted.empty()) return;
  std::vector<LiveSaga> sagas = store_.load_orders(wanted);
  for (const Uuid& id : wanted) shelf_.take(id);
  (void)take_in_hand(std::move(sagas));  // none of them has a call out
}

/// What an order would send if it were its turn now; "" when it has nothing to send.
std::string Engine::due_action(const Uuid& id) {
  const auto found = live_.find(id);
  if (found == live_.end() || !found->second.saga.open || found->second.saga.stuck) return {};
  const OpenCommand& open = *found->second.saga.open;
  return open.phase != CommandPhase::sent && open.next <= clock_.now() ? open.action : std::string();
}

Millis Engine::until_next_timer(Millis most) const {
  if (!unsent_.empty()) return Millis(0);
  const Time now = clock_.now();
  Time next = std::min(now + most, maintained_ + options_.maintain_every);
  if (!shards_.empty()) next = std::min(next, inbox_read_ + options_.inbox_every);
  if (!timers_.empty()) next = std::min(next, timers_.begin()->first);
  for (const auto& [time, task] : retry_queue_) next = std::min(next, time);
  return std::max(Millis(0), next - now);
}

/// `held`: its call waits at the gate; other times still count.
void Engine::schedule(const Live& live, bool held) {
  if (const auto wake = wake_time(facts(live), live.saga, held)) timers_.emplace(*wake, live.saga.order_id);
}

}  // namespace orderd::saga
