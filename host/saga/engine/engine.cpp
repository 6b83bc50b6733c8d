#include "saga/engine/engine.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/survive.h"
#include "base/troubles.h"
#include "model/order_json.h"
#include "saga/storage/inbox.h"

namespace orderd::saga {
namespace {

constexpr std::size_t set_aside_max = 32768;  // tasks, about 1 KB each, before no more are read

}  // namespace

Engine::Engine(EngineOptions options, Store& store, bus::Subscription& orders, Plugins& plugins,
               Definition definition, const Clock& clock)
    : set_(options, store, orders, plugins, std::move(definition), clock),
      batches_(set_),
      shards_(set_, batches_),
      timers_(set_),
      completions_(options.completions_queued_max) {}

void Engine::complete(Completion completion) {
  completion.arrived = set_.clock.now();
  while (!completions_.push(completion)) {
    if (completions_.closed()) return;
    std::this_thread::yield();  // an outcome is never dropped; the engine is taking from the queue
  }
  set_.orders.wake();
}

void Engine::run(std::stop_token stop) {
  const std::stop_callback wake(stop, [this] { set_.orders.wake(); });
  while (!stop.stop_requested())
    if (!survive("saga", [this] { turn(Millis(1000)); })) {
      reset("an error that nobody expected");
      pause(stop, set_.options.maintain_every);
    }
  const Time end = set_.clock.now() + set_.options.drain_limit;
  const auto in_flight = [this] {
    return std::any_of(set_.sagas.begin(), set_.sagas.end(),
                       [](const auto& one) { return is_out(one.second.saga); });
  };
  for (const std::int16_t shard : set_.shards) set_.orders.stop(shard);
  while (!away_ && in_flight() && set_.clock.now() < end) turn(Millis(20));
  try {
    set_.store.release_all();
  } catch (const StoreError& error) {
    log_warning("saga", "leases not given back, others wait for their end", {{"error", error.what()}});
  }
}

bool Engine::turn(Millis wait) {
  try {
    set_.blocked.begin_tick(set_.clock.now());
    if (set_.clock.now() - shards_.maintained() >= set_.options.maintain_every) maintain();
    std::vector<Task> tasks;
    // Answers first: the room that they make is for those who wait, before what is new is read.
    take_answers(tasks, Millis(0));
    timers_.take_due(tasks);
    take_inbox(tasks);
    read_on(tasks, wait);
    if (!tasks.empty() || !set_.parking.empty()) batches_.take(std::move(tasks));
    batches_.try_blocked();
    if (away_) {
      log_info("saga", "working again");
      troubles().clear("saga");
    }
    away_ = false;
    set_.metrics.live.Set(static_cast<double>(set_.sagas.size() + set_.shelf.size()));
    return true;
  } catch (const StoreError& error) { reset(error.what()); }
  (void)set_.orders.poll(
      1, std::min(wait, set_.options.store_retry));  // owns nothing now: only waits, or is woken to stop
  return false;
}

void Engine::maintain() {
  if (!definition_saved_) {
    const Definition& current = set_.definitions.at(set_.current_digest);
    set_.store.save_definition(current.digest, current.name, current.text);
    definition_saved_ = true;
  }
  shards_.maintain();
  set_.admission.pause(set_.store.switches());
  report();
  // Own events move the position only along with other work; here it catches up, so that lag is seen to be
  // none.
  if (set_.settled() != set_.positions_saved) batches_.take({});
  std::int64_t stuck = 0;
  for (const auto& [id, live] : set_.sagas) stuck += live.saga.stuck.has_value();
  set_.metrics.stuck.Set(static_cast<double>(stuck));
  set_.metrics.lag.Set(static_cast<double>(set_.orders.lag()));
  orders_without_build().Set(static_cast<double>(set_.unserved.size()));
  if (set_.unserved.empty()) troubles().clear("builds");
}

void Engine::reset(const std::string& why) {
  if (!away_) log_warning("saga", "lost the database or the shards, beginning again", {{"error", why}});
  away_ = true;
  troubles().say("saga", "waits for the database");
  shards_.forget_all();
  set_.forget_work();
}

void Engine::read(std::vector<bus::Record> records, std::vector<Task>& tasks) {
  for (bus::Record& record : records) {
    const auto shard = static_cast<std::int16_t>(record.partition);
    if (!set_.shards.contains(shard)) continue;
    const std::int64_t before =
        std::exchange(set_.positions_read[shard], record.position);  // not always higher: see bus
    const Event& event = record.event;
    DeadLetter origin{event.order_id, event.version, shard, record.position, record.poison};
    if (record.poison.empty()) {
      const std::size_t count = tasks.size();
      take_event(std::move(record.event), std::move(origin), 0, tasks);
      if (tasks.size() > count) tasks.back().read = set_.blocked.next_event(), tasks.back().before = before;
      continue;
    }
    origin.headers_json = std::move(record.raw_headers_json);
    origin.payload = std::move(record.raw_value);
    set_.parking.push_back(std::move(origin));
  }
}

/// `inbox`: the row that a dead letter's replay is, or 0.
void Engine::take_event(Event event, DeadLetter origin, std::int64_t inbox, std::vector<Task>& tasks) {
  Task task{event.order_id, Due{}};
  task.origin = std::move(origin);
  task.inbox = inbox;
  if (event.type == EventType::order_created && !set_.sagas.contains(event.order_id)) {
    auto body = read_body(event.payload);
    if (!body) {
      task.origin.reason = "the payload is no ORDER_CREATED that this version understands";
      set_.parking.push_back(std::move(task.origin));
      if (inbox != 0) set_.parking_rows.push_back(inbox);
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
  const Time now = set_.clock.now();
  if (set_.shards.empty() || now - inbox_read_ < set_.options.inbox_every) return;
  inbox_read_ = now;
  const std::size_t most = set_.options.orders_per_tick_max;
  for (InboxItem& item :
       set_.inbox.take(set_.store.inbox(set_.shards, set_.inbox.place(), most), most, now)) {
    if (set_.unserved.contains(item.order_id)) {
      set_.inbox.forget(item.id);
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
  if (const auto live = set_.sagas.find(completion.order_id);
      live != set_.sagas.end() && live->second.saga.open) {
    const bool reached = (outcome.kind != OutcomeKind::unknown && outcome.kind != OutcomeKind::retry) ||
                         outcome.query_answer != QueryAnswer::none;
    const Saga& saga = live->second.saga;
    const auto& step = set_.definition(saga.definition).steps[static_cast<std::size_t>(saga.open->step)];
    if (const auto* port = set_.external_port(live->second)) {
      const auto heard = set_.admission.answered(port->instance(), completion.order_id,
                                                 {reached, completion.arrived, step.timeout});
      if (heard.is_over) set_.permits.erase(completion.order_id);
      if (heard.took) observe(set_.metrics.calls(port->instance()), *heard.took);
    }
  }
  return {completion.order_id,
          Answer{completion.key, std::move(completion.outcome), std::move(completion.plugin_digest)}};
}

/// For other hosts and for people, when it changed and now and then.
void Engine::report() {
  constexpr Millis every{10'000};
  auto status = set_.admission.status(set_.plugins.external_instances());
  for (PluginStatus& one : status) one.parked += static_cast<std::int32_t>(set_.shelf.of(one.instance));
  for (const PluginStatus& one : status) {
    const Metrics::Labels labels{{"instance", one.instance}};
    const auto show = [&](const char* name, const char* help, auto value) {
      metrics().gauge(name, help, labels).Set(static_cast<double>(value));
    };
    show("orderd_breaker_open", "1 while calls to the plugin are held back after failures",
         one.breaker != "closed");
    show("orderd_sagas_parked", "Sagas of this host that wait for the plugin", one.parked);
    if (const ConcurrencyLimit* window = set_.admission.concurrency_limit(one.instance)) {
      show("orderd_plugin_calls_max", "Calls of this host that go out at once, by latency", window->size());
      show("orderd_plugin_latency_ms", "Half of the plugin's latest answers took longer",
           window->median().count());
      show("orderd_plugin_calls", "Calls of this host that are out", window->out());
    }
  }
  if (status == reported_ && set_.clock.now() - reported_at_ < every) return;
  set_.store.report(status);
  for (std::size_t i = 0; i < status.size() && i < reported_.size(); ++i)
    if (status[i].breaker != reported_[i].breaker)
      log_warning("saga", "a plugin's breaker changed",
                  {{"instance", status[i].instance}, {"breaker", status[i].breaker}});
  reported_ = std::move(status);
  reported_at_ = set_.clock.now();
}

Millis Engine::until_next_work(Millis most) const {
  Time latest = std::min(set_.clock.now() + most, shards_.maintained() + set_.options.maintain_every);
  if (!set_.shards.empty()) latest = std::min(latest, inbox_read_ + set_.options.inbox_every);
  return timers_.until_next(latest);
}

/// Reads what is new, unless too much of it waits already: in the log it costs nothing. Then an answer is
/// what ends the wait.
void Engine::read_on(std::vector<Task>& tasks, Millis wait) {
  const Millis idle = tasks.empty() ? until_next_work(wait) : Millis(0);
  const std::size_t waiting = set_.admission.waiting_for_room();
  const bool several = waiting >= set_.options.waiting_max && set_.plugins.external_instances().size() > 1;
  if (set_.retry_queue.size() < set_aside_max &&
      waiting < (several ? set_.options.waiting_max_of_several : set_.options.waiting_max))
    return read(set_.orders.poll(set_.options.orders_per_tick_max, idle), tasks);
  take_answers(tasks, idle);
}

void Engine::take_answers(std::vector<Task>& tasks, Millis wait) {
  std::move(set_.unsent.begin(), set_.unsent.end(), std::back_inserter(tasks));
  set_.unsent.clear();
  for (Completion& completion :
       completions_.take(set_.options.orders_per_tick_max, tasks.empty() ? wait : Millis(0)))
    tasks.push_back(answer(std::move(completion)));
}

}  // namespace orderd::saga
