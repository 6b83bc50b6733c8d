#include "saga/engine/engine.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/survive.h"
#include "base/troubles.h"
#include "model/order_json.h"
#include "plugin_ports/error.h"
#include "saga/engine/turned_clock.h"
#include "saga/storage/inbox.h"

namespace orderd::saga {

Engine::Engine(EngineOptions options, Store& store, bus::Subscription& orders, Plugins& plugins,
               Definition definition, const Clock& clock)
    : options_(options),
      store_(store),
      orders_(orders),
      plugins_(plugins),
      current_(definition.digest),
      clock_(clock),
      completions_(options.completions_queued_max),
      finished_cache_(options.finished_kept_max) {
  for (const StepDefinition& step : definition.steps) {
    const auto candidates = plugins_.candidates(step.slot);
    if (candidates.empty())
      throw DefinitionError("saga " + definition.name + ": step " + step.name + " needs a plugin in slot " +
                            step.slot + ": set slot." + step.slot + " to an instance");
    for (const plugins::StepPort* port : candidates)
      for (const std::string& action : {step.action, step.compensation})
        if (!action.empty() && !port->supports(action))
          throw DefinitionError("saga " + definition.name + ": step " + step.name + ": plugin " +
                                port->instance() + " does not know the action " + action);
  }
  definitions_[current_] = std::move(definition);
}

void Engine::complete(Completion completion) {
  completion.arrived = clock_.now();
  while (!completions_.push(completion)) {
    if (completions_.closed()) return;
    std::this_thread::yield();  // an outcome is never dropped; the engine is taking from the queue
  }
  orders_.wake();
}

void Engine::run(std::stop_token stop) {
  const std::stop_callback wake(stop, [this] { orders_.wake(); });
  while (!stop.stop_requested())
    if (!survive("saga", [this] { turn(Millis(1000)); })) {
      reset("an error that nobody expected");
      pause(stop, options_.maintain_every);
    }
  const Time end = clock_.now() + options_.drain_limit;
  const auto in_flight = [this] {
    return std::any_of(live_.begin(), live_.end(), [](const auto& one) { return is_out(one.second.saga); });
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
    blocked_.begin_tick(clock_.now());
    if (clock_.now() - maintained_ >= options_.maintain_every) maintain();
    std::vector<Task> tasks;
    // Answers first: the room that they make is for those who wait, before what is new is read.
    take_answers(tasks, Millis(0));
    take_due(tasks);
    take_inbox(tasks);
    read_on(tasks, wait);
    if (!tasks.empty() || !parking_.empty()) tick(std::move(tasks));
    try_blocked();
    if (away_) {
      log_info("saga", "working again");
      troubles().clear("saga");
    }
    away_ = false;
    metrics_.live = static_cast<std::int64_t>(live_.size() + shelf_.size());
    return true;
  } catch (const StoreError& error) { reset(error.what()); }
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
  apply_ownership(renew());
  take_up_unserved();
  take_up_forgotten();
  admission_.pause(store_.switches());
  report();
  // Own events move the position only along with other work; here it catches up, so that lag is seen to be
  // none.
  if (settled() != saved_) tick({});
  std::int64_t stuck = 0;
  for (const auto& [id, live] : live_) stuck += live.saga.stuck.has_value();
  metrics_.stuck = stuck;
  metrics_.lag = orders_.lag();
  orders_without_build() = static_cast<std::int64_t>(unserved_.size());
  if (unserved_.empty()) troubles().clear("builds");
}

/// Their plugin may be here by now.
void Engine::take_up_unserved() {
  constexpr Millis every{10'000};
  constexpr std::size_t left_alone_at_once = 500;
  if (unserved_.empty() || clock_.now() - unserved_read_at_ < every) return;
  unserved_read_at_ = clock_.now();
  // A part of them at a time, in turn: among them may be all of a provider's orders.
  std::vector<Uuid> ids;
  for (auto at = unserved_.upper_bound(unserved_up_to_);
       at != unserved_.end() && ids.size() < left_alone_at_once; ++at)
    ids.push_back(at->first);
  unserved_up_to_ = ids.size() < left_alone_at_once ? Uuid{} : ids.back();
  std::vector<Task> tasks = take_in_hand(store_.load_orders(ids));
  // The log was read on meanwhile: a cancellation in it was passed over.
  std::vector<Uuid> taken;
  for (const Uuid& id : ids)
    if (live_.contains(id)) taken.push_back(id);
  for (const auto& [id, order] : store_.look_up(taken))
    if (order.cancel_version > 0) tasks.push_back({id, cancel_of(order)});
  in_batches(tasks);
}

/// Those that are not yet; returns what they begin with.
std::vector<Task> Engine::take_in_hand(std::vector<LiveSaga> sagas) {
  std::vector<Task> tasks;
  for (LiveSaga& loaded : sagas) {
    const Uuid id = loaded.saga.order_id;
    if (live_.contains(id) || shelf_.has(id)) continue;
    bring_back_to(clock_.now(), loaded.saga);
    Live live{std::move(loaded.saga), std::make_shared<const OrderBody>(std::move(loaded.body)),
              std::move(loaded.traceparent), nullptr};
    try {
      serve(live, false);
    } catch (const StoreError& error) {
      if (error.kind == StoreError::Kind::lost) throw;
      troubles().say("builds", error.what());
      if (unserved_.emplace(id, live.saga.shard).second)
        log_error(
            "saga", "an order in flight is left alone for now",
            {{"order", id.to_string()}, {"trace", trace_id(live.traceparent)}, {"reason", error.what()}});
      continue;
    }
    unserved_.erase(id);
    const Live& taken = live_[id] = std::move(live);
    schedule(taken);
    // The others wait for their time: nothing of them is written.
    if (is_out(taken.saga) && !taken.saga.stuck) tasks.push_back({id, TakenOver{}});
  }
  return tasks;
}

void Engine::in_batches(const std::vector<Task>& tasks) {
  for (std::size_t at = 0; at < tasks.size(); at += options_.orders_per_tick_max) {
    const auto end = std::min(tasks.size(), at + options_.orders_per_tick_max);
    tick({tasks.begin() + static_cast<std::ptrdiff_t>(at), tasks.begin() + static_cast<std::ptrdiff_t>(end)});
  }
}

/// What is free is claimed, too: it is the same statement.
Ownership Engine::renew() {
  maintained_ = clock_.now();
  return store_.maintain();
}

/// One shard after the other, with renewals between them: sagas may be many, and a lease is short.
void Engine::apply_ownership(Ownership change) {
  std::map<std::int16_t, std::int64_t> gained;
  for (;;) {
    for (const std::int16_t shard : change.lost) {
      release_shard(shard);
      gained.erase(shard);
    }
    gained.merge(change.gained);
    if (gained.empty()) return;
    const auto [shard, position] = *gained.begin();
    gained.erase(gained.begin());
    take_over(shard, position);
    change = clock_.now() - maintained_ < options_.maintain_every ? Ownership{} : renew();
  }
}

void Engine::take_over(std::int16_t shard, std::int64_t position) {
  release_shard(shard);
  const std::size_t before = live_.size();
  const std::vector<Task> tasks = take_in_hand(store_.load({shard}));
  inbox_.begin_again();
  shards_.insert(shard);
  read_[shard] = saved_[shard] = position;
  orders_.start(shard, position);
  log_info("saga", "took over a shard",
           {{"shard", std::to_string(shard)},
            {"live", std::to_string(live_.size() - before)},
            {"in_flight", std::to_string(tasks.size())}});
  in_batches(tasks);
}

void Engine::release_shard(std::int16_t shard) {
  orders_.stop(shard);
  shards_.erase(shard);
  read_.erase(shard);
  saved_.erase(shard);
  finished_cache_.drop(shard);
  std::erase_if(unserved_, [&](const auto& one) { return one.second == shard; });
  std::erase_if(live_, [&](const auto& one) {
    if (one.second.saga.shard != shard) return false;
    admission_.forget(one.first);
    return true;
  });
  // What came from its log, and rows of its inbox, are the next owner's.
  std::erase_if(retry_queue_, [&](const auto& one) {
    return one.second.origin.version > 0 && one.second.origin.shard == shard;
  });
  shelf_.drop(shard);
  inbox_.drop(shard);
}

void Engine::reset(const std::string& why) {
  if (!away_) log_warning("saga", "lost the database or the shards, beginning again", {{"error", why}});
  away_ = true;
  troubles().say("saga", "waits for the database");
  while (!shards_.empty()) release_shard(*shards_.begin());
  retry_queue_.clear();
  parking_.clear();
  parking_rows_.clear();
  unsent_.clear();
  admission_.forget_all();
  store_.forget();
  maintained_ = {};
}

void Engine::read(std::vector<bus::Record> records, std::vector<Task>& tasks) {
  for (bus::Record& record : records) {
    const auto shard = static_cast<std::int16_t>(record.partition);
    if (!shards_.contains(shard)) continue;
    const std::int64_t before = std::exchange(read_[shard], record.position);  // not always higher: see bus
    const Event& event = record.event;
    DeadLetter origin{event.order_id, event.version, shard, record.position, record.poison};
    if (record.poison.empty()) {
      const std::size_t count = tasks.size();
      take_event(std::move(record.event), std::move(origin), 0, tasks);
      if (tasks.size() > count) tasks.back().read = blocked_.next_event(), tasks.back().before = before;
      continue;
    }
    origin.headers_json = std::move(record.raw_headers_json);
    origin.payload = std::move(record.raw_value);
    parking_.push_back(std::move(origin));
  }
}

/// `inbox`: the row that a dead letter's replay is, or 0.
void Engine::take_event(Event event, DeadLetter origin, std::int64_t inbox, std::vector<Task>& tasks) {
  Task task{event.order_id, Due{}};
  task.origin = std::move(origin);
  task.inbox = inbox;
  if (event.type == EventType::order_created && !live_.contains(event.order_id)) {
    auto body = read_body(event.payload);
    if (!body) {
      task.origin.reason = "the payload is no ORDER_CREATED that this version understands";
      parking_.push_back(std::move(task.origin));
      if (inbox != 0) parking_rows_.push_back(inbox);
      return;
    }
    task.input = Begin{};
    task.body = std::make_shared<const OrderBody>(std::move(*body));
    task.traceparent = event.traceparent;
  } else if (event.type == EventType::order_cancel_requested) {
    const auto head = read_head(event);
    task.input = Cancel{event.version, event.at, head && head->reason ? *head->reason : Reason{}};
  } else if (inbox == 0) {
    return;
  }
  tasks.push_back(std::move(task));
}

void Engine::take_inbox(std::vector<Task>& tasks) {
  const Time now = clock_.now();
  if (shards_.empty() || now - inbox_read_ < options_.inbox_every) return;
  inbox_read_ = now;
  const std::size_t most = options_.orders_per_tick_max;
  for (InboxItem& item : inbox_.take(store_.inbox(shards_, inbox_.place(), most), most, now)) {
    if (unserved_.contains(item.order_id)) {
      inbox_.forget(item.id);
      continue;
    }
    if (static_cast<InboxKind>(item.kind) == InboxKind::replay) {
      if (auto replay = read_replay(item.data)) {
        DeadLetter origin{item.order_id, replay->event.version, item.shard, replay->pos, ""};
        take_event(std::move(replay->event), std::move(origin), item.id, tasks);
        continue;
      }
    }
    Task task{item.order_id, Due{}};
    task.inbox = item.id;
    task.origin.shard = item.shard;
    if (auto input = read_inbox(static_cast<InboxKind>(item.kind), item.data))
      std::visit([&](auto& one) { task.input = std::move(one); }, *input);
    else
      log_error("saga", "a row of saga_inbox cannot be read and is dropped",
                {{"order", item.order_id.to_string()}, {"data", item.data.substr(0, 200)}});
    tasks.push_back(std::move(task));
  }
}

/// An outcome also tells whether its provider can be reached.
Task Engine::answer(Completion completion) {
  const Outcome& outcome = completion.outcome;
  if (const auto live = live_.find(completion.order_id); live != live_.end() && live->second.saga.open) {
    const bool reached = (outcome.kind != OutcomeKind::unknown && outcome.kind != OutcomeKind::retry) ||
                         outcome.query_answer != QueryAnswer::none;
    const Saga& saga = live->second.saga;
    const auto& step = definition(saga.definition).steps[static_cast<std::size_t>(saga.open->step)];
    if (const auto* port = external_port(live->second))
      if (const auto took = admission_.answered(port->instance(), completion.order_id,
                                                {reached, completion.arrived, step.timeout}))
        metrics_.calls(port->instance()).observe(*took);
  }
  return {completion.order_id,
          Answer{completion.key, std::move(completion.outcome), std::move(completion.plugin_digest)}};
}

/// For other hosts and for people, when it changed and now and then.
void Engine::report() {
  constexpr Millis every{10'000};
  auto status = admission_.status(plugins_.external_instances());
  for (PluginStatus& one : status) one.parked += static_cast<std::int32_t>(shelf_.of(one.instance));
  for (const PluginStatus& one : status) {
    const std::string label = "{instance=\"" + one.instance + "\"}";
    metrics().gauge("orderd_breaker_open" + label,
                    "1 while calls to the plugin are held back after failures") = one.breaker != "closed";
    metrics().gauge("orderd_sagas_parked" + label, "Sagas of this host that wait for the plugin") =
        one.parked;
    if (const ConcurrencyLimit* window = admission_.concurrency_limit(one.instance)) {
      metrics().gauge("orderd_plugin_calls_max" + label,
                      "Calls of this host that go out at once, by latency") =
          static_cast<std::int64_t>(window->size());
      metrics().gauge("orderd_plugin_latency_ms" + label, "Half of the plugin's latest answers took longer") =
          window->median().count();
      metrics().gauge("orderd_plugin_calls" + label, "Calls of this host that are out") =
          static_cast<std::int64_t>(window->out());
    }
  }
  if (status == reported_ && clock_.now() - reported_at_ < every) return;
  store_.report(status);
  for (std::size_t i = 0; i < status.size() && i < reported_.size(); ++i)
    if (status[i].breaker != reported_[i].breaker)
      log_warning("saga", "a plugin's breaker changed",
                  {{"instance", status[i].instance}, {"breaker", status[i].breaker}});
  reported_ = std::move(status);
  reported_at_ = clock_.now();
}

/// Who works on what is open; nullptr for nothing, and for the transactional ones.
plugins::StepPort* Engine::external_port(const Live& live) {
  const Facts known = facts(live);
  if (!live.saga.open || is_transactional(known, live.saga)) return nullptr;
  const auto step = static_cast<std::size_t>(live.saga.open->step);
  return live.bindings->ports.at(known.definition.steps[step].slot);
}

/// Finds the plugins that a saga names. Throws StoreError::refused if one is not here.
void Engine::serve(Live& live, bool reopened) {
  std::string missing;
  const Definition& known = definition(live.saga.definition);
  try {
    live.bindings = plugins_.of(live.saga, known, reopened, missing);
  } catch (const plugins::PluginError& error) { throw StoreError(StoreError::Kind::absent, error.what()); }
  if (!live.bindings) throw StoreError(StoreError::Kind::refused, missing);
  if (reopened) bind(live.saga, known, *live.bindings);
}

Facts Engine::facts(const Live& live) {
  return {*live.body, definition(live.saga.definition), live.bindings->infos};
}

const Definition& Engine::definition(const std::string& digest) {
  const auto known = definitions_.find(digest);
  if (known != definitions_.end()) return known->second;
  const auto text = store_.definition(digest);
  if (!text) throw StoreError(StoreError::Kind::refused, "no saga definition " + digest + " is stored");
  try {
    return definitions_[digest] = parse_definition(*text, "saga_definitions/" + digest);
  } catch (const DefinitionError& error) { throw StoreError(StoreError::Kind::refused, error.what()); }
}

}  // namespace orderd::saga
