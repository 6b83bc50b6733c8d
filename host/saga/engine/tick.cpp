// One tick of the engine: drafts from tasks, transactional steps, one transaction, then the external calls.
#include <algorithm>
#include <utility>

#include "base/fault.h"
#include "base/log.h"
#include "base/log_summed.h"
#include "model/order_json.h"
#include "saga/engine/engine.h"
#include "saga/storage/postgres_work.h"

namespace orderd::saga {
namespace {

constexpr int batch_attempts_max = 3;

/// Of a command that did not go out.
Outcome not_begun(const char* code, const char* why) {
  Outcome outcome;
  outcome.kind = OutcomeKind::retry;
  outcome.code = code;
  outcome.message = why;
  return outcome;
}

int rank(const Task& task) {
  if (std::holds_alternative<Begin>(task.input)) return 0;
  return std::holds_alternative<Cancel>(task.input) ? 1 : 2;
}

}  // namespace

void Engine::tick(std::vector<Task> tasks) {
  wait_behind(tasks);
  // A cancellation is in the order's history already: what else came in with it is decided behind it, so that
  // no forward step starts after it. Only the order's beginning goes before.
  std::stable_sort(tasks.begin(), tasks.end(),
                   [](const Task& a, const Task& b) { return rank(a) < rank(b); });
  for (int attempt = 1;; ++attempt) {
    try {
      return write(tasks, settled());
    } catch (const StoreError& error) {
      const bool blocked = error.kind == StoreError::Kind::blocked;
      if (error.kind == StoreError::Kind::lost || (blocked && fault::mutation("blocked_order_holds_others")))
        throw;
      const bool again = error.kind == StoreError::Kind::conflict && attempt < batch_attempts_max;
      if (again && add_cancellations(tasks)) continue;
      if (blocked) blocked_.failed();
      log_info("saga", "a batch failed, doing it in halves",
               {{"orders", std::to_string(tasks.size())}, {"error", error.what()}});
      break;
    }
  }
  in_halves(std::move(tasks));
  // Only now: what was refused is parked or set aside, so nothing is passed over.
  write({}, settled());
}

void Engine::write_all(const std::vector<Task>& tasks, const Positions& positions) {
  OrderChanges order_changes;
  std::vector<std::int64_t> taken = parking_rows_;
  std::vector<Task> early;
  std::vector<Uuid> ids;
  for (const Task& task : tasks) ids.push_back(task.order_id);
  take_from_shelf(ids);
  const std::map<Uuid, OrderNow> stored = look_up(tasks);
  for (const Task& task : tasks) {
    if (!order_changes.contains(task.order_id) && is_known_notice(task)) {
      ++metrics_.stale;
      if (task.inbox != 0) taken.push_back(task.inbox);
      continue;
    }
    if (comes_early(task, order_changes, stored)) {
      early.push_back(task);
      continue;
    }
    if (!apply_task(task, order_changes, stored)) ++metrics_.stale;
    if (task.inbox != 0) taken.push_back(task.inbox);
  }
  if (!order_changes.empty() || !parking_.empty() || !taken.empty() || positions != saved_)
    save(order_changes, taken, positions);
  for (Task& task : early) later(std::move(task));
}

void Engine::save(OrderChanges& order_changes, const std::vector<std::int64_t>& taken,
                  const Positions& positions) {
  if (fault::mutation("saga_position_before_effect") && positions != saved_)
    store_.begin(positions)->commit({}, {}, {});
  const auto work = store_.begin(positions);
  run_transactional(order_changes, work->tx());
  hold_back(order_changes);
  std::vector<Change> changes;
  for (auto& [id, one] : order_changes) changes.push_back(change_of(one));
  const bool early = fault::mutation("saga_call_before_intent");
  if (early) dispatch(order_changes, {});
  ORDERD_FAULT_POINT("saga.before_commit");
  const auto not_started = work->commit(changes, parking_, taken);
  ORDERD_FAULT_POINT("saga.after_commit");
  try {
    parking_.clear();
    parking_rows_.clear();
    for (const std::int64_t row : taken) inbox_.forget(row);
    for (const auto& [shard, position] : positions) {
      if (saved_[shard] != position) orders_.saved(shard, position);
      saved_[shard] = position;
    }
    apply_committed(order_changes, not_started);
    if (!early) dispatch(order_changes, not_started);
  } catch (const std::exception& error) {  // what was written is true: begin again from there
    throw StoreError(StoreError::Kind::lost, error.what());
  }
  ORDERD_FAULT_POINT("saga.after_dispatch");
}

/// Applies a task to its order's draft; false when it means nothing any more.
bool Engine::apply_task(const Task& task, OrderChanges& order_changes,
                        const std::map<Uuid, OrderNow>& stored) {
  auto found = order_changes.find(task.order_id);
  const bool first = found == order_changes.end();
  if (first) {
    OrderChange one;
    if (const auto live = live_.find(task.order_id); live != live_.end()) {
      one.live = live->second;
    } else if (std::holds_alternative<Begin>(task.input)) {
      one.live.body = task.body;
      one.live.traceparent = task.traceparent;
      begin(one.live, task.order_id, task.origin.shard);
      one.starts = true;
    } else if (!change_from_store(task, one, stored)) {
      return false;
    }
    one.expected_version = one.live.saga.version;
    if (const auto* cancel = std::get_if<Cancel>(&task.input)) one.expected_version = cancel->version;
    one.decision.saga = one.live.saga;
    found = order_changes.emplace(task.order_id, std::move(one)).first;
  } else if (std::holds_alternative<Begin>(task.input)) {
    return false;
  } else if (const auto* cancel = std::get_if<Cancel>(&task.input); cancel && found->second.starts) {
    // Placed and cancelled within one batch: the start finds version 2 and does nothing; the cancellation is
    // next.
    found->second.decision = {};
    if (!change_from_store(task, found->second, stored)) {
      order_changes.erase(found);
      return false;
    }
    found->second.starts = false;
    found->second.expected_version = cancel->version;
    found->second.decision.saga = found->second.live.saga;
  }
  found->second.admitted |= task.admitted;
  apply(found->second, task.input);
  Decision& decision = found->second.decision;
  if (decision.stale && first) {
    order_changes.erase(found);
    return false;
  }
  if (decision.run && found->second.starts && is_transactional(facts(found->second.live), decision.saga)) {
    // Whether the order is new shows only when its row is written: no effect in that same transaction.
    decision.saga.open->phase = CommandPhase::waiting;
    decision.saga.open->next = clock_.now();
    decision.run = false;
  }
  return !std::exchange(decision.stale, false);
}

/// A saga before its first step, with the plugins that will serve it.
void Engine::begin(Live& live, const Uuid& order_id, std::int16_t shard) {
  const Definition& current = definitions_.at(current_);
  live.bindings = plugins_.choose(order_id, *live.body, current, admission_.broken(clock_.now()));
  live.saga = fresh_saga(order_id, shard, {*live.body, current, live.bindings->infos},
                         Time(Millis(order_id.unix_ms())));
  bind(live.saga, current, *live.bindings);
}

void Engine::apply(OrderChange& order, const Input& input) {
  const Facts known = facts(order.live);
  Decision next = decide(known, order.decision.saga, input, clock_.now());
  order.decision.saga = std::move(next.saga);
  std::move(next.events.begin(), next.events.end(), std::back_inserter(order.decision.events));
  // A command that an earlier input of this tick sends is not sent yet: it goes out unless this input took it
  // back.
  const auto& open = order.decision.saga.open;
  order.decision.run = next.run || (order.decision.run && open && open->phase == CommandPhase::sent);
  order.decision.secret_settled |= next.secret_settled;
  order.decision.stale = next.stale;
}

/// Each transactional plugin gets all its commands of this transaction in one call, so that it can lock once.
/// A saga that then needs the same plugin again has its turn in the next transaction.
void Engine::run_transactional(OrderChanges& order_changes, plugins::TxPort& tx) {
  std::set<plugins::StepPort*> called;
  std::map<std::string, plugins::StepPort*> ports;
  for (;;) {
    std::map<std::string, std::vector<OrderChange*>> groups;  // by build: the same order on every host
    for (auto& [id, one] : order_changes) {
      if (!one.decision.run) continue;
      const Facts known = facts(one.live);
      if (!is_transactional(known, one.decision.saga)) continue;
      OpenCommand& open = *one.decision.saga.open;
      const auto step = static_cast<std::size_t>(open.step);
      plugins::StepPort* port = one.live.bindings->ports.at(known.definition.steps[step].slot);
      if (!called.contains(port)) {
        const std::string name = port->instance() + "@" + port->digest();
        groups[name].push_back(&one);
        ports[name] = port;
      } else {
        open.phase = CommandPhase::waiting;
        open.next = clock_.now();
        one.decision.run = false;
      }
    }
    if (groups.empty()) return;
    for (auto& [build, group] : groups) {
      plugins::StepPort* port = ports.at(build);
      called.insert(port);
      std::vector<Command> commands;
      for (OrderChange* one : group) {
        commands.push_back(make_command(facts(one->live), one->decision.saga));
        commands.back().deadline = one->decision.saga.open->deadline;
        commands.back().traceparent = one->live.traceparent;
      }
      std::vector<Outcome> outcomes;
      try {
        outcomes = port->execute_in(tx, commands);
      } catch (const plugins::TxError& error) {
        StoreError told = translate(store::DbError(error.what(), error.sqlstate(), false));
        told.in_plugin = true;
        throw StoreError(told);
      }
      for (std::size_t i = 0; i < group.size(); ++i)
        apply(*group[i], Answer{commands[i].key, outcomes[i], port->digest()});
    }
  }
}

const SlotInfo& Engine::external_slot(const OrderChange& order) {
  const Facts known = facts(order.live);
  const auto step = static_cast<std::size_t>(order.decision.saga.open->step);
  return known.slots.at(known.definition.steps[step].slot);
}

/// An order whose provider cannot be reached, and who has not heard of it yet, goes to another one, if a rule
/// names one that can be. True if its call may go out there.
bool Engine::reroute(OrderChange& order) {
  Saga& saga = order.decision.saga;
  const Definition& known = definition(saga.definition);
  const std::string& slot = known.steps[static_cast<std::size_t>(saga.open->step)].slot;
  const bool sent_before = order.live.saga.open && order.live.saga.open->sequence == saga.open->sequence;
  if (saga.mode != Mode::forward || sent_before || !is_untouched(saga, known, slot)) return false;
  if (!plugins_.may_begin(known)) return false;
  const auto other = plugins_.choose(saga.order_id, *order.live.body, known, admission_.broken(clock_.now()));
  const SlotInfo& info = other->infos.at(slot);
  if (info.instance == external_slot(order).instance || info.transactional ||
      !admission_.admit(info.instance, saga.open->action, saga.order_id, clock_.now()))
    return false;
  Slots ports = order.live.bindings->ports;
  ports[slot] = other->ports.at(slot);
  order.live.bindings = std::make_shared<const PluginBindings>(std::move(ports));
  bind(saga, known, *order.live.bindings);
  return true;
}

/// What may not go out now waits at the gate, as if it had not been sent.
void Engine::hold_back(OrderChanges& order_changes) {
  for (auto& [id, one] : order_changes) {
    if (!one.decision.run || one.admitted) continue;
    if (is_transactional(facts(one.live), one.decision.saga)) continue;
    if (admission_.admit(external_slot(one).instance, one.decision.saga.open->action, id, clock_.now()) ||
        reroute(one))
      continue;
    OpenCommand& open = *one.decision.saga.open;
    const auto& before = one.live.saga.open;
    const bool sent_before = before && before->sequence == open.sequence;
    open.deadline = sent_before ? before->deadline : Time{};
    const bool same_key = sent_before && before->generation == open.generation;
    if (!same_key) open.key_sent = {};
    open.sends = same_key ? before->sends : 0;
    open.phase = CommandPhase::waiting;
    open.next = clock_.now();
    one.decision.run = false;
  }
}

Change Engine::change_of(OrderChange& order) const {
  tell_payment(order.decision, clock_.now());
  Change change;
  change.saga = order.decision.saga;
  change.expected_version = order.expected_version;
  change.starts = order.starts;
  change.reopens = order.reopens;
  change.secret_settled = order.decision.secret_settled;
  const Saga& was = order.live.saga;
  change.attention_moved = was.stuck != change.saga.stuck || was.attention != change.saga.attention;
  change.guard = order.decision.events.empty() && order.decision.run && !order.starts &&
                 change.saga.mode == Mode::forward && !fault::mutation("saga_cancel_unguarded");
  for (const OrderHead& head : order.decision.events)
    change.events.push_back(
        {head.id, head.version, head.type, head.at, event_payload(head, {}), order.live.traceparent});
  return change;
}

namespace {

void log_new_statuses(const OrderChange& order) {
  Status before = order.starts ? Status::pending : order.live.saga.status;
  for (const OrderHead& head : order.decision.events)
    if (std::exchange(before, head.status) != head.status)
      log(LogLevel::debug, "saga", "an order has a new status",
          {{"order", head.id.to_string()},
           {"status", std::string(name(head.status))},
           {"trace", trace_id(order.live.traceparent)}});
}

}  // namespace

void Engine::apply_committed(OrderChanges& order_changes, const std::set<Uuid>& not_started) {
  for (auto& [id, one] : order_changes) {
    if (not_started.contains(id) || !is_out(one.decision.saga)) admission_.give_back(id);
    if (not_started.contains(id)) continue;
    metrics_.started += one.starts;
    log_new_statuses(one);
    for (const OrderHead& head : one.decision.events)
      if (head.type == EventType::order_confirmed)
        metrics_.confirmed.observe(clock_.now() - Time(Millis(id.unix_ms())));
    if (one.decision.saga.stuck && !one.live.saga.stuck)
      log_error("saga", "an order is stuck and needs a person",
                {{"order", id.to_string()},
                 {"trace", trace_id(one.live.traceparent)},
                 {"code", one.decision.saga.stuck->code},
                 {"reason", one.decision.saga.stuck->message}});
    if (one.decision.saga.mode == Mode::finished) {
      metrics_.finished += one.live.saga.mode != Mode::finished;
      live_.erase(id);
      finished_cache_.add(
          {std::move(one.decision.saga), one.live.body, one.live.traceparent, one.live.bindings});
      continue;
    }
    live_[id] = {one.decision.saga, one.live.body, one.live.traceparent, one.live.bindings};
    schedule(live_[id]);
  }
}

void Engine::dispatch(const OrderChanges& order_changes, const std::set<Uuid>& not_started) {
  struct Calls {
    plugins::StepPort* port = nullptr;
    std::vector<Command> commands;
  };
  std::map<std::string, Calls> calls;  // by build: a history comes out the same again
  std::vector<Uuid> need_secret;
  for (const auto& [id, one] : order_changes) {
    if (!one.decision.run || not_started.contains(id)) continue;
    Live live{one.decision.saga, one.live.body, one.live.traceparent, one.live.bindings};
    const Facts known = facts(live);
    const OpenCommand& open = *live.saga.open;
    const StepDefinition& step = known.definition.steps[static_cast<std::size_t>(open.step)];
    Command command = make_command(known, live.saga);
    command.deadline = open.query ? clock_.now() + step.timeout : open.deadline;
    command.traceparent = live.traceparent;
    if (command.deadline <= clock_.now()) {  // the host stood still since it decided: nothing goes out
      admission_.give_back(id);
      unsent_.push_back(
          {id, Answer{std::move(command.key),
                      not_begun("NOT_BEGUN", "the host stood still until the command's deadline"), ""}});
      continue;
    }
    if (command.action == "payment.authorize") need_secret.push_back(id);
    plugins::StepPort* port = live.bindings->ports.at(step.slot);
    Calls& of = calls[port->instance() + "@" + port->digest()];
    of.port = port;
    admission_.sent(port->instance(), id, clock_.now());
    of.commands.push_back(std::move(command));
  }
  const auto secrets = need_secret.empty() ? decltype(store_.secrets({}))() : store_.secrets(need_secret);
  for (auto& [instance, of] : calls) {
    std::erase_if(of.commands, [&](Command& command) { return !add_secret(secrets, command); });
    if (!of.commands.empty()) of.port->execute(std::move(of.commands));
  }
}

/// False: the token cannot be read, and without it nobody is asked for money. Until attempts end, the key may
/// come back.
bool Engine::add_secret(const std::map<Uuid, std::optional<std::string>>& secrets, Command& command) {
  const auto found = secrets.find(command.order_id);
  if (command.action != "payment.authorize" || found == secrets.end()) return true;
  if (found->second || fault::mutation("saga_token_left_out")) {
    command.secret_json = found->second.value_or("");
    return true;
  }
  log_summed(LogLevel::error, "saga",
             "a payment secret was sealed with another key; the payment waits for it",
             {{"order", command.order_id.to_string()}});
  admission_.give_back(command.order_id);
  unsent_.push_back(
      {command.order_id, Answer{std::move(command.key),
                                not_begun("PAYMENT_SECRET_UNREADABLE",
                                          "the payment secret was sealed with another secrets.key"),
                                ""}});
  return false;
}

}  // namespace orderd::saga
