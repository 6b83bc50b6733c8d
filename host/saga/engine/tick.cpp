#include "saga/engine/tick.h"

#include <algorithm>
#include <utility>

#include "base/fault.h"
#include "base/log.h"
#include "base/log_summed.h"
#include "model/order_json.h"
#include "saga/storage/postgres_work.h"

namespace orderd::saga {
namespace {

/// For a command that did not go out.
Outcome not_begun(const char* code, const char* why) {
  Outcome outcome;
  outcome.kind = OutcomeKind::retry;
  outcome.code = code;
  outcome.message = why;
  return outcome;
}

/// The plugin that the open command is for.
const SlotInfo& open_slot(const OrderChange& order, const Definition& known) {
  const auto step = static_cast<std::size_t>(order.decision.saga.open->step);
  return order.live.bindings->infos.at(known.steps[step].slot);
}

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

void Tick::write(const std::vector<Task>& tasks, const Positions& positions) {
  taken_ = set_.parking_rows;
  std::vector<Task> early;
  std::vector<Uuid> ids;
  for (const Task& task : tasks) ids.push_back(task.order_id);
  set_.take_from_shelf(ids);
  const StoredOrders stored(set_, tasks);
  for (const Task& task : tasks) {
    const bool changes_already = order_changes_.contains(task.order_id);
    if (!changes_already && stored.is_known(task)) {
      set_.metrics.stale.Increment();
      if (task.inbox != 0) taken_.push_back(task.inbox);
      continue;
    }
    if (!changes_already && stored.comes_early(task)) {
      early.push_back(task);
      continue;
    }
    if (!apply_task(task, stored)) {
      set_.metrics.stale.Increment();
      if (!order_changes_.contains(task.order_id)) set_.give_back_permit(task.order_id);
    }
    if (task.inbox != 0) taken_.push_back(task.inbox);
  }
  if (!order_changes_.empty() || !set_.parking.empty() || !taken_.empty() ||
      positions != set_.positions_saved)
    save(positions);
  for (Task& task : early) set_.later(std::move(task));
}

void Tick::save(const Positions& positions) {
  if (fault::mutation("saga_position_before_effect") && positions != set_.positions_saved)
    set_.store.begin(positions)->commit({}, {}, {});
  const auto work = set_.store.begin(positions);
  run_transactional(work->tx());
  let_out();
  std::vector<Change> changes;
  for (auto& [id, one] : order_changes_) changes.push_back(change_of(one));
  const bool early = fault::mutation("saga_call_before_intent");
  if (early) dispatch();
  ORDERD_FAULT_POINT("saga.before_commit");
  not_started_ = work->commit(changes, set_.parking, taken_);
  ORDERD_FAULT_POINT("saga.after_commit");
  try {
    set_.parking.clear();
    set_.parking_rows.clear();
    for (const std::int64_t row : taken_) set_.inbox.forget(row);
    for (const auto& [shard, position] : positions) {
      if (set_.positions_saved[shard] != position) set_.orders.saved(shard, position);
      set_.positions_saved[shard] = position;
    }
    apply_committed();
    if (!early) dispatch();
  } catch (const std::exception& error) {  // what was written is true: begin again from there
    throw StoreError(StoreError::Kind::lost, error.what());
  }
  ORDERD_FAULT_POINT("saga.after_dispatch");
}

/// Applies a task to its order; false when it means nothing any more.
bool Tick::apply_task(const Task& task, const StoredOrders& stored) {
  auto found = order_changes_.find(task.order_id);
  const bool first = found == order_changes_.end();
  if (first) {
    OrderChange one;
    if (const auto live = set_.sagas.find(task.order_id); live != set_.sagas.end()) {
      one.live = live->second;
    } else if (std::holds_alternative<Begin>(task.input)) {
      one.live.body = task.body;
      one.live.traceparent = task.traceparent;
      set_.begin(one.live, task.order_id, task.origin.shard);
      one.starts = true;
    } else if (!stored.restore(task, one)) {
      return false;
    }
    one.expected_version = one.live.saga.version;
    if (const auto* cancel = std::get_if<Cancel>(&task.input)) one.expected_version = cancel->version;
    one.decision.saga = one.live.saga;
    found = order_changes_.emplace(task.order_id, std::move(one)).first;
  } else if (std::holds_alternative<Begin>(task.input)) {
    return false;
  } else if (const auto* cancel = std::get_if<Cancel>(&task.input); cancel && found->second.starts) {
    // Placed and cancelled within one batch: the start finds version 2 and does nothing; the cancellation is
    // next.
    found->second.decision = {};
    if (!stored.restore(task, found->second)) {
      order_changes_.erase(found);
      return false;
    }
    found->second.starts = false;
    found->second.expected_version = cancel->version;
    found->second.decision.saga = found->second.live.saga;
  }
  apply(found->second, task.input);
  Decision& decision = found->second.decision;
  if (decision.stale && first) {
    order_changes_.erase(found);
    return false;
  }
  if (decision.ready && found->second.starts &&
      is_transactional(set_.facts(found->second.live), decision.saga)) {
    // Whether the order is new shows only when its row is written: no effect in that same transaction.
    decision.ready = false;
  }
  return !std::exchange(decision.stale, false);
}

void Tick::apply(OrderChange& order, const Input& input) {
  const Facts known = set_.facts(order.live);
  const auto was = order.decision.saga.open;
  Decision next = decide(known, order.decision.saga, input, set_.clock.now());
  order.decision.saga = std::move(next.saga);
  std::move(next.events.begin(), next.events.end(), std::back_inserter(order.decision.events));
  // What an earlier input of this tick made ready goes out unless this input took it back.
  const bool as_before =
      order.decision.ready && !order.decision.saga.stuck && order.decision.saga.open == was;
  order.decision.ready = next.ready || as_before;
  order.decision.secret_settled |= next.secret_settled;
  order.decision.stale = next.stale;
}

/// Each transactional plugin gets all its commands of this transaction in one call, so that it can lock once.
/// A saga that then needs the same plugin again has its turn in the next transaction.
void Tick::run_transactional(plugins::TxPort& tx) {
  std::set<plugins::StepPort*> called;
  std::map<std::string, plugins::StepPort*> ports;
  for (;;) {
    std::map<std::string, std::vector<OrderChange*>> groups;  // by build: the same order on every host
    for (auto& [id, one] : order_changes_) {
      if (!one.decision.ready) continue;
      const Facts known = set_.facts(one.live);
      if (!is_transactional(known, one.decision.saga)) continue;
      const auto step = static_cast<std::size_t>(one.decision.saga.open->step);
      plugins::StepPort* port = one.live.bindings->ports.at(known.definition.steps[step].slot);
      if (called.contains(port)) {
        one.decision.ready = false;
        continue;
      }
      const std::string name = port->instance() + "@" + port->digest();
      groups[name].push_back(&one);
      ports[name] = port;
      mark_sent(known, one.decision.saga, set_.clock.now());
    }
    if (groups.empty()) return;
    for (auto& [build, group] : groups) {
      plugins::StepPort* port = ports.at(build);
      called.insert(port);
      std::vector<Command> commands;
      for (OrderChange* one : group) {
        commands.push_back(make_command(set_.facts(one->live), one->decision.saga));
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

/// Sends only what admission lets out. All else that is ready waits as it is, and is written only if
/// something else of it changed.
void Tick::let_out() {
  for (auto at = order_changes_.begin(); at != order_changes_.end();) {
    OrderChange& one = (at++)->second;
    if (!one.decision.ready) continue;
    const Facts known = set_.facts(one.live);
    if (is_transactional(known, one.decision.saga)) continue;
    if (admit(one, open_slot(one, known.definition).instance) || reroute(one)) {
      mark_sent(set_.facts(one.live), one.decision.saga, set_.clock.now());
      continue;
    }
    one.decision.ready = false;
    const bool changed = one.starts || one.reopens || one.decision.secret_settled ||
                         !one.decision.events.empty() || one.decision.saga != one.live.saga;
    if (changed) continue;
    set_.schedule(one.live);
    order_changes_.erase(one.live.saga.order_id);
  }
}

/// True, and the order has its permit, if its call may go out to this instance now.
bool Tick::admit(const OrderChange& order, const std::string& instance) {
  const Saga& saga = order.decision.saga;
  if (set_.permits.contains(saga.order_id)) return true;
  auto permit = set_.admission.admit(instance, saga.open->action, saga.order_id, set_.clock.now());
  if (permit) set_.permits.emplace(saga.order_id, std::move(*permit));
  return permit.has_value();
}

Change Tick::change_of(OrderChange& order) const {
  tell_payment(order.decision, set_.clock.now());
  Change change;
  change.saga = order.decision.saga;
  change.expected_version = order.expected_version;
  change.starts = order.starts;
  change.reopens = order.reopens;
  change.secret_settled = order.decision.secret_settled;
  const Saga& was = order.live.saga;
  change.attention_moved = was.stuck != change.saga.stuck || was.attention != change.saga.attention;
  change.guard = order.decision.events.empty() && order.decision.ready && !order.starts &&
                 change.saga.mode == Mode::forward && !fault::mutation("saga_cancel_unguarded");
  for (const OrderHead& head : order.decision.events)
    change.events.push_back(
        {head.id, head.version, head.type, head.at, event_payload(head, {}), order.live.traceparent});
  return change;
}

void Tick::apply_committed() {
  for (auto& [id, one] : order_changes_) {
    if (not_started_.contains(id) || !is_out(one.decision.saga)) set_.permits.erase(id);
    if (not_started_.contains(id)) continue;
    if (one.starts) set_.metrics.started.Increment();
    log_new_statuses(one);
    for (const OrderHead& head : one.decision.events)
      if (head.type == EventType::order_confirmed)
        observe(set_.metrics.confirmed, set_.clock.now() - Time(Millis(id.unix_ms())));
    if (one.decision.saga.stuck && !one.live.saga.stuck)
      log_error("saga", "an order is stuck and needs a person",
                {{"order", id.to_string()},
                 {"trace", trace_id(one.live.traceparent)},
                 {"code", one.decision.saga.stuck->code},
                 {"reason", one.decision.saga.stuck->message}});
    if (one.decision.saga.mode == Mode::finished) {
      if (one.live.saga.mode != Mode::finished) set_.metrics.finished.Increment();
      set_.sagas.erase(id);
      set_.finished.add(
          {std::move(one.decision.saga), one.live.body, one.live.traceparent, one.live.bindings});
      continue;
    }
    set_.sagas[id] = {one.decision.saga, one.live.body, one.live.traceparent, one.live.bindings};
    set_.schedule(set_.sagas[id]);
  }
}

void Tick::dispatch() {
  struct Calls {
    plugins::StepPort* port = nullptr;
    std::vector<Command> commands;
  };
  std::map<std::string, Calls> calls;  // by build: a history comes out the same again
  std::vector<Uuid> need_secret;
  for (const auto& [id, one] : order_changes_) {
    if (!one.decision.ready || not_started_.contains(id)) continue;
    Live live{one.decision.saga, one.live.body, one.live.traceparent, one.live.bindings};
    const Facts known = set_.facts(live);
    const OpenCommand& open = *live.saga.open;
    const StepDefinition& step = known.definition.steps[static_cast<std::size_t>(open.step)];
    Command command = make_command(known, live.saga);
    command.deadline = open.query ? set_.clock.now() + step.timeout : open.deadline;
    command.traceparent = live.traceparent;
    if (command.deadline <= set_.clock.now()) {  // the host stood still since it decided: nothing goes out
      set_.permits.erase(id);
      set_.unsent.push_back(
          {id, Answer{std::move(command.key),
                      not_begun("NOT_BEGUN", "the host stood still until the command's deadline"), ""}});
      continue;
    }
    if (command.action == "payment.authorize") need_secret.push_back(id);
    plugins::StepPort* port = live.bindings->ports.at(step.slot);
    Calls& of = calls[port->instance() + "@" + port->digest()];
    of.port = port;
    set_.admission.sent(port->instance(), id, set_.clock.now());
    of.commands.push_back(std::move(command));
  }
  const auto secrets =
      need_secret.empty() ? decltype(set_.store.secrets({}))() : set_.store.secrets(need_secret);
  for (auto& [instance, of] : calls) {
    std::erase_if(of.commands, [&](Command& command) { return !add_secret(secrets, command); });
    if (!of.commands.empty()) of.port->execute(std::move(of.commands));
  }
}

/// False: the token cannot be read, and without it nobody is asked for money. Until attempts end, the key may
/// come back.
bool Tick::add_secret(const std::map<Uuid, std::optional<std::string>>& secrets, Command& command) {
  const auto found = secrets.find(command.order_id);
  if (command.action != "payment.authorize" || found == secrets.end()) return true;
  if (found->second || fault::mutation("saga_token_left_out")) {
    command.secret_json = found->second.value_or("");
    return true;
  }
  log_summed(LogLevel::error, "saga",
             "a payment secret was sealed with another key; the payment waits for it",
             {{"order", command.order_id.to_string()}});
  set_.permits.erase(command.order_id);
  set_.unsent.push_back(
      {command.order_id, Answer{std::move(command.key),
                                not_begun("PAYMENT_SECRET_UNREADABLE",
                                          "the payment secret was sealed with another secrets.key"),
                                ""}});
  return false;
}

/// An order whose provider cannot be reached, and has had no call of it yet, goes to another one, if a rule
/// names one that can be. True if its call may go out there.
bool Tick::reroute(OrderChange& order) {
  Saga& saga = order.decision.saga;
  const Definition& known = set_.definition(saga.definition);
  const std::string& slot = known.steps[static_cast<std::size_t>(saga.open->step)].slot;
  const bool sent_before = order.live.saga.open && order.live.saga.open->sequence == saga.open->sequence;
  if (saga.mode != Mode::forward || sent_before || !is_untouched(saga, known, slot)) return false;
  if (!set_.plugins.may_begin(known)) return false;
  const auto other =
      set_.plugins.choose(saga.order_id, *order.live.body, known, set_.admission.broken(set_.clock.now()));
  const SlotInfo& info = other->infos.at(slot);
  if (info.instance == open_slot(order, known).instance || info.transactional || !admit(order, info.instance))
    return false;
  Slots ports = order.live.bindings->ports;
  ports[slot] = other->ports.at(slot);
  order.live.bindings = std::make_shared<const PluginBindings>(std::move(ports));
  bind(saga, known, *order.live.bindings);
  return true;
}

}  // namespace orderd::saga
