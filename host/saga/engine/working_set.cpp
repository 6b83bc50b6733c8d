#include "saga/engine/working_set.h"

#include <algorithm>

#include "base/log.h"
#include "base/troubles.h"
#include "plugin_ports/error.h"
#include "saga/engine/turned_clock.h"

namespace orderd::saga {

WorkingSet::WorkingSet(EngineOptions options_given, Store& store_given, bus::Subscription& orders_given,
                       Plugins& plugins_given, Definition definition, const Clock& clock_given)
    : options(options_given),
      store(store_given),
      orders(orders_given),
      plugins(plugins_given),
      clock(clock_given),
      current_digest(definition.digest),
      finished(options_given.finished_kept_max) {
  for (const StepDefinition& step : definition.steps) {
    const auto candidates = plugins.candidates(step.slot);
    if (candidates.empty())
      throw DefinitionError("saga " + definition.name + ": step " + step.name + " needs a plugin in slot " +
                            step.slot + ": set slot." + step.slot + " to an instance");
    for (const plugins::StepPort* port : candidates)
      for (const std::string& action : {step.action, step.compensation})
        if (!action.empty() && !port->supports(action))
          throw DefinitionError("saga " + definition.name + ": step " + step.name + ": plugin " +
                                port->instance() + " does not know the action " + action);
  }
  definitions[current_digest] = std::move(definition);
}

/// Finds the plugins that a saga names. Throws StoreError::refused if one is not here.
void WorkingSet::serve(Live& live, bool reopened) {
  std::string missing;
  const Definition& known = definition(live.saga.definition);
  try {
    live.bindings = plugins.of(live.saga, known, reopened, missing);
  } catch (const plugins::PluginError& error) { throw StoreError(StoreError::Kind::absent, error.what()); }
  if (!live.bindings) throw StoreError(StoreError::Kind::refused, missing);
  if (reopened) bind(live.saga, known, *live.bindings);
}

/// A saga before its first step, with the plugins that will serve it.
void WorkingSet::begin(Live& live, const Uuid& order_id, std::int16_t shard) {
  const Definition& current = definitions.at(current_digest);
  live.bindings = plugins.choose(order_id, *live.body, current, admission.broken(clock.now()));
  live.saga = fresh_saga(order_id, shard, {*live.body, current, live.bindings->infos},
                         Time(Millis(order_id.unix_ms())));
  bind(live.saga, current, *live.bindings);
}

Facts WorkingSet::facts(const Live& live) {
  return {*live.body, definition(live.saga.definition), live.bindings->infos};
}

const Definition& WorkingSet::definition(const std::string& digest) {
  const auto known = definitions.find(digest);
  if (known != definitions.end()) return known->second;
  const auto text = store.definition(digest);
  if (!text) throw StoreError(StoreError::Kind::refused, "no saga definition " + digest + " is stored");
  try {
    return definitions[digest] = parse_definition(*text, "saga_definitions/" + digest);
  } catch (const DefinitionError& error) { throw StoreError(StoreError::Kind::refused, error.what()); }
}

/// Who works on what is open; nullptr for nothing, and for the transactional ones.
plugins::StepPort* WorkingSet::external_port(const Live& live) {
  const Facts known = facts(live);
  if (!live.saga.open || is_transactional(known, live.saga)) return nullptr;
  const auto step = static_cast<std::size_t>(live.saga.open->step);
  return live.bindings->ports.at(known.definition.steps[step].slot);
}

/// `held`: its call waits for admission; other times still count.
void WorkingSet::schedule(const Live& live, bool held) {
  if (const auto wake = wake_time(facts(live), live.saga, held)) timers.emplace(*wake, live.saga.order_id);
}

/// What an order would send if it were its turn now; "" when it has nothing to send.
std::string WorkingSet::due_action(const Uuid& id) {
  const auto found = sagas.find(id);
  if (found == sagas.end() || !found->second.saga.open || found->second.saga.stuck) return {};
  const OpenCommand& open = *found->second.saga.open;
  return open.phase != CommandPhase::sent && open.next <= clock.now() ? open.action : std::string();
}

/// Those that are not yet; returns what they begin with.
std::vector<Task> WorkingSet::take_in_hand(std::vector<LiveSaga> loaded_sagas) {
  std::vector<Task> tasks;
  for (LiveSaga& loaded : loaded_sagas) {
    const Uuid id = loaded.saga.order_id;
    if (sagas.contains(id) || shelf.has(id)) continue;
    bring_back_to(clock.now(), loaded.saga);
    Live live{std::move(loaded.saga), std::make_shared<const OrderBody>(std::move(loaded.body)),
              std::move(loaded.traceparent), nullptr};
    try {
      serve(live, false);
    } catch (const StoreError& error) {
      if (error.kind == StoreError::Kind::lost) throw;
      troubles().say("builds", error.what());
      if (unserved.emplace(id, live.saga.shard).second)
        log_error(
            "saga", "an order in flight is left alone for now",
            {{"order", id.to_string()}, {"trace", trace_id(live.traceparent)}, {"reason", error.what()}});
      continue;
    }
    unserved.erase(id);
    const Live& taken = sagas[id] = std::move(live);
    schedule(taken);
    // The others wait for their time: nothing of them is written.
    if (is_out(taken.saga) && !taken.saga.stuck) tasks.push_back({id, TakenOver{}});
  }
  return tasks;
}

/// All of it is in `sagas` as it is here.
void WorkingSet::put_on_shelf(const Uuid& id, const std::string& instance, const std::string& action) {
  const auto found = sagas.find(id);
  shelf.put(id, found->second.saga.shard, instance, action);
  admission.forget(id);
  permits.erase(id);
  sagas.erase(found);
}

void WorkingSet::take_from_shelf(const std::vector<Uuid>& ids) {
  std::vector<Uuid> wanted;
  for (const Uuid& id : ids)
    if (shelf.has(id)) wanted.push_back(id);
  if (wanted.empty()) return;
  std::vector<LiveSaga> loaded = store.load_orders(wanted);
  for (const Uuid& id : wanted) shelf.take(id);
  (void)take_in_hand(std::move(loaded));  // none of them has a call out
}

/// A row of the inbox stays there, and is read again; all else waits here.
void WorkingSet::later(Task task) {
  if (task.inbox != 0) return inbox.later(task.inbox, clock.now());
  const Millis wait =
      std::min(Millis(30'000), Millis(500) * (1 << std::min<std::uint32_t>(task.failures++, 6)));
  retry_queue.emplace_back(clock.now() + wait, std::move(task));
}

/// What it was admitted for did not go out; a call that is out already stays so.
void WorkingSet::give_back_permit(const Uuid& id) {
  const auto live = sagas.find(id);
  if (live == sagas.end() || !is_out(live->second.saga)) permits.erase(id);
}

/// What was read, but never past what an order that is set aside has still to take from the log.
Positions WorkingSet::settled() const {
  Positions out = positions_read;
  std::map<std::int16_t, std::int64_t> first;
  for (const auto& [time, task] : retry_queue) {
    if (!task.blocked || task.read == 0 || !out.contains(task.origin.shard)) continue;
    const auto [found, is_new] = first.try_emplace(task.origin.shard, task.read);
    if (!is_new && found->second < task.read) continue;
    found->second = task.read;
    out[task.origin.shard] = task.before;
  }
  return out;
}

/// What was under way and is not in the database: the sagas have gone already.
void WorkingSet::forget_work() {
  retry_queue.clear();
  parking.clear();
  parking_rows.clear();
  unsent.clear();
  permits.clear();
  admission.forget_all();
}

}  // namespace orderd::saga
