#include "saga/engine.h"

#include <algorithm>

#include "base/log.h"
#include "model/order_json.h"

namespace orderd::saga {
namespace {

std::map<std::string, SlotInfo> infos(const Engine::Slots& slots) {
  std::map<std::string, SlotInfo> out;
  for (const auto& [slot, port] : slots)
    out[slot] = {port->instance(), port->transactional(), port->can_query()};
  return out;
}

}  // namespace

Engine::Engine(EngineOptions options, Store& store, bus::Subscription& orders, Slots slots,
               Definition definition, const Clock& clock)
    : options_(options),
      store_(store),
      orders_(orders),
      slots_(std::move(slots)),
      slot_infos_(infos(slots_)),
      current_(definition.digest),
      clock_(clock),
      completions_(options.completions_queued_max),
      started_(metrics().counter("orderd_sagas_started_total", "Sagas begun by this host")),
      finished_(
          metrics().counter("orderd_sagas_finished_total", "Sagas that came to their end on this host")),
      stale_(metrics().counter("orderd_saga_stale_answers_total", "Outcomes that belonged to nothing open")),
      live_gauge_(metrics().gauge("orderd_sagas_live", "Sagas of this host that are not at their end")),
      stuck_gauge_(metrics().gauge("orderd_sagas_stuck", "Sagas of this host that wait for a person")) {
  for (const StepDefinition& step : definition.steps) {
    const auto found = slots_.find(step.slot);
    if (found == slots_.end())
      throw DefinitionError("saga " + definition.name + ": step " + step.name + " needs a plugin in slot " +
                            step.slot + ": set slot." + step.slot + " to an instance");
    for (const std::string& action : {step.action, step.undo})
      if (!action.empty() && !found->second->supports(action))
        throw DefinitionError("saga " + definition.name + ": step " + step.name + ": plugin " +
                              found->second->instance() + " does not know the action " + action);
  }
  definitions_[current_] = std::move(definition);
}

void Engine::complete(Completion completion) {
  while (!completions_.push(completion)) {
    if (completions_.closed()) return;
    std::this_thread::yield();  // an outcome is never dropped; the engine is taking from the queue
  }
  orders_.wake();
}

void Engine::run(std::stop_token stop) {
  const std::stop_callback wake(stop, [this] { orders_.wake(); });
  while (!stop.stop_requested()) turn(Millis(1000));
  const Time end = clock_.now() + options_.drain_limit;
  const auto in_flight = [this] {
    return std::any_of(live_.begin(), live_.end(), [](const auto& one) {
      return one.second.saga.open && one.second.saga.open->phase == CommandPhase::sent;
    });
  };
  for (const std::int16_t shard : shards_) orders_.stop(shard);
  while (!away_ && in_flight() && clock_.now() < end) turn(Millis(20));
  try {
    store_.release_all();
  } catch (const StoreError& error) {
    log_warning("saga", "leases not given back, others wait for their end", {{"error", error.what()}});
  }
}

bool Engine::turn(Millis wait) {
  try {
    if (clock_.now() - maintained_ >= options_.maintain_every) maintain();
    std::vector<Task> tasks;
    take_due(tasks);
    for (Completion& completion : completions_.take(options_.orders_per_tick_max, Millis(0)))
      tasks.push_back({completion.order_id,
                       Answer{completion.key, std::move(completion.outcome), completion.plugin_digest},
                       {},
                       {},
                       {},
                       0});
    read(orders_.poll(options_.orders_per_tick_max, tasks.empty() ? until_next_timer(wait) : Millis(0)),
         tasks);
    if (!tasks.empty() || !parking_.empty()) tick(std::move(tasks), read_);
    if (away_) log_info("saga", "working again");
    away_ = false;
    live_gauge_ = static_cast<std::int64_t>(live_.size());
    return true;
  } catch (const StoreError& error) { lose(error.what()); }
  (void)orders_.poll(
      1, std::min(wait, options_.store_retry));  // owns nothing now: only waits, or is woken to stop
  return false;
}

void Engine::maintain() {
  if (!definition_saved_) {
    const Definition& current = definitions_.at(current_);
    store_.save_definition(current.digest, current.name, current.text);
    definition_saved_ = true;
  }
  own(store_.maintain());
  maintained_ = clock_.now();
  // Own events move the position only along with other work; here it catches up, so that lag is seen to be
  // none.
  if (read_ != saved_) tick({}, read_);
  std::int64_t stuck = 0;
  for (const auto& [id, live] : live_) stuck += live.saga.stuck.has_value();
  stuck_gauge_ = stuck;
}

void Engine::own(const Ownership& change) {
  for (const std::int16_t shard : change.lost) drop(shard);
  if (change.gained.empty()) return;
  std::vector<std::int16_t> shards;
  for (const auto& [shard, position] : change.gained) {
    drop(shard);
    shards.push_back(shard);
  }
  std::vector<Task> tasks;
  for (LiveSaga& loaded : store_.load(shards)) {
    const Uuid id = loaded.saga.order_id;
    if (const std::string missing = missing_slot(definition(loaded.saga.definition)); !missing.empty()) {
      log_error("saga", "an order in flight is left alone: its saga needs a plugin that is not configured",
                {{"order", id.to_string()}, {"slot", missing}, {"fix", "set slot." + missing}});
      continue;
    }
    schedule(loaded.saga);
    live_[id] = {std::move(loaded.saga), std::make_shared<const OrderBody>(std::move(loaded.body)),
                 std::move(loaded.traceparent)};
    tasks.push_back({id, TakenOver{}, {}, {}, {}, 0});
  }
  for (const auto& [shard, position] : change.gained) {
    shards_.insert(shard);
    read_[shard] = saved_[shard] = position;
    orders_.start(shard, position);
  }
  log_info("saga", "took over shards",
           {{"shards", std::to_string(shards.size())}, {"live", std::to_string(tasks.size())}});
  for (std::size_t at = 0; at < tasks.size(); at += options_.orders_per_tick_max) {
    const auto end = std::min(tasks.size(), at + options_.orders_per_tick_max);
    tick({tasks.begin() + static_cast<std::ptrdiff_t>(at), tasks.begin() + static_cast<std::ptrdiff_t>(end)},
         read_);
  }
}

void Engine::drop(std::int16_t shard) {
  orders_.stop(shard);
  shards_.erase(shard);
  read_.erase(shard);
  saved_.erase(shard);
  std::erase_if(live_, [&](const auto& one) { return one.second.saga.shard == shard; });
}

void Engine::lose(const std::string& why) {
  if (!away_) log_warning("saga", "lost the database or the shards, beginning again", {{"error", why}});
  away_ = true;
  while (!shards_.empty()) drop(*shards_.begin());
  again_.clear();
  parking_.clear();
  store_.forget();
  maintained_ = {};
}

void Engine::read(std::vector<bus::Record> records, std::vector<Task>& tasks) {
  for (bus::Record& record : records) {
    const auto shard = static_cast<std::int16_t>(record.partition);
    if (!shards_.contains(shard)) continue;
    read_[shard] = std::max(read_[shard], record.position);
    Event& event = record.event;
    const Parked origin{event.order_id, event.version, shard, record.position, record.poison};
    if (!record.poison.empty()) {
      parking_.push_back(origin);
    } else if (event.type == EventType::order_created && !live_.contains(event.order_id)) {
      auto body = read_body(event.payload);
      if (body) {
        tasks.push_back({event.order_id, Begin{}, std::make_shared<const OrderBody>(std::move(*body)),
                         event.traceparent, origin, 0});
      } else {
        parking_.push_back(origin);
        parking_.back().reason = "the payload is no ORDER_CREATED that this version understands";
      }
    } else if (event.type == EventType::order_cancel_requested) {
      const auto head = read_head(event);
      tasks.push_back({event.order_id,
                       Cancel{event.version, event.at, head && head->reason ? *head->reason : Reason{}},
                       {},
                       {},
                       origin,
                       0});
    }
  }
}

void Engine::take_due(std::vector<Task>& tasks) {
  const Time now = clock_.now();
  while (!timers_.empty() && timers_.begin()->first <= now && tasks.size() < options_.orders_per_tick_max) {
    const Uuid id = timers_.begin()->second;
    timers_.erase(timers_.begin());
    const auto found = live_.find(id);
    if (found == live_.end() || !found->second.saga.open || found->second.saga.stuck) continue;
    const OpenCommand& open = *found->second.saga.open;
    if (open.phase != CommandPhase::sent && open.next <= now) tasks.push_back({id, Due{}, {}, {}, {}, 0});
  }
  std::erase_if(again_, [&](auto& one) {
    if (one.first > now) return false;
    tasks.push_back(std::move(one.second));
    return true;
  });
}

Millis Engine::until_next_timer(Millis most) const {
  const Time now = clock_.now();
  Time next = std::min(now + most, maintained_ + options_.maintain_every);
  if (!timers_.empty()) next = std::min(next, timers_.begin()->first);
  for (const auto& [time, task] : again_) next = std::min(next, time);
  return std::max(Millis(0), next - now);
}

void Engine::schedule(const Saga& saga) {
  if (saga.open && !saga.stuck && saga.open->phase != CommandPhase::sent)
    timers_.emplace(saga.open->next, saga.order_id);
}

std::string Engine::missing_slot(const Definition& of) const {
  for (const StepDefinition& step : of.steps)
    if (!slots_.contains(step.slot)) return step.slot;
  return {};
}

Facts Engine::facts(const Live& live) { return {*live.body, definition(live.saga.definition), slot_infos_}; }

const Definition& Engine::definition(const std::string& digest) {
  const auto known = definitions_.find(digest);
  if (known != definitions_.end()) return known->second;
  const auto text = store_.definition(digest);
  if (!text) throw StoreError(StoreError::Kind::refused, "no saga definition " + digest + " is stored");
  return definitions_[digest] = parse_definition(*text, "saga_definitions/" + digest);
}

}  // namespace orderd::saga
