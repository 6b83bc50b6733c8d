#include "intake/writer.h"

#include <algorithm>
#include <set>
#include <unordered_set>

#include "base/fault.h"
#include "base/log_summed.h"
#include "base/metrics.h"
#include "base/troubles.h"
#include "model/json.h"
#include "outbox/log.h"

namespace orderd::intake {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds idle_wait{1'000}, reconnect_interval{200};
constexpr std::chrono::seconds purge_interval{60}, purge_interval_behind{1};
constexpr std::int64_t purge_rows_max = 2'000;
constexpr int tries_max = 8;
constexpr std::chrono::seconds look_interval{1};  // at the switch

constexpr store::Statement insert_orders{"insert_orders",
                                         "insert into orders (id, created, body) select * from "
                                         "unnest($1::uuid[], $2::timestamptz[], $3::jsonb[])"};
constexpr store::Statement insert_states{
    "insert_states",
    "insert into order_state (id, shard, status, version, payment_status) "
    "select i, $3::int2, 1::int2, 1, p from unnest($1::uuid[], $2::int2[]) u(i, p)"};
constexpr store::Statement insert_secrets{
    "insert_secrets",
    "insert into payment_secrets (order_id, sealed) select * from unnest($1::uuid[], $2::bytea[])"};
constexpr store::Statement read_existing{"read_existing_orders",
                                         "select id from orders where id = any($1::uuid[])"};

constexpr store::Statement read_switch{"intake_switch", "select 1 from switches where name = 'intake'"};

constexpr std::string_view unique_violation = "23505", sqlstate_read_only = "25006";

/// Errors that the same order would meet again: bad data, a constraint, a limit of PostgreSQL.
bool is_orders_fault(const std::string& sqlstate) {
  const auto error_class = sqlstate.substr(0, 2);
  return error_class == "22" || error_class == "23" || error_class == "54";
}

std::string orders_body(const OrderDraft& draft, std::string_view members) {
  std::string out = "{";
  out.append(members).append(",\"paymentMethod\":");
  json::append_string(out, draft.body.payment_method);
  if (draft.addresses_json.size() > 2)
    out.append(",").append(draft.addresses_json, 1, draft.addresses_json.size() - 2);
  out.push_back('}');
  return out;
}

}  // namespace

void PendingOrder::finish(Placed::Kind kind, bool maybe_written, std::string_view cause) {
  const bool shown = kind == Placed::Kind::created || kind == Placed::Kind::replayed;
  on_placed({kind, shown ? std::move(answer) : FoldedOrder{}, maybe_written, cause});
}

std::unique_ptr<PendingOrder> prepare(Placement placement, OnPlaced on_placed,
                                      const store::SecretBox& secrets) {
  auto order = std::make_unique<PendingOrder>();
  const OrderBody& body = placement.draft.body;
  const std::string members = body_members(body);
  PaymentView payment;
  payment.method = body.payment_method;
  payment.status = body.total == 0 ? PaymentStatus::not_required : PaymentStatus::none;
  OrderHead head;
  head.id = Uuid::v7();
  head.version = 1;
  head.at = now();
  head.payment = payment;

  order->created = {
      head.id, 1, EventType::order_created, head.at, event_payload(head, members), placement.traceparent};
  order->answer.snapshot = {head.id, Status::pending, 1,       members, payment_json(payment),
                            "null",  "null",          head.at, head.at};
  order->answer.history.push_back({1, Status::pending, payment.status, head.at, "null"});
  order->body = orders_body(placement.draft, members);
  if (body.total > 0) order->sealed = secrets.seal(placement.draft.secret_json, head.id);
  order->payment_status = payment.status;
  order->placement = std::move(placement);
  order->on_placed = std::move(on_placed);
  return order;
}

void Writer::run() {
  while (!queue_.closed()) {
    Batch batch = queue_.take(options_.batch_orders_max, idle_wait);
    const bool idle = batch.empty();
    if (!idle) write(std::move(batch));
    purge_when_due(idle);
  }
}

void Writer::write(Batch batch) {
  if (paused()) return replay_or_refuse(std::move(batch));
  // The first of several requests with one key goes ahead; the others then find its answer.
  while (!batch.empty()) {
    Batch first, later;
    std::set<std::pair<std::string_view, std::string_view>> keys;
    for (auto& order : batch) {
      const IdempotencyKey& key = order->placement.key;
      const bool fresh = !order->has_key() || keys.emplace(key.scope, key.value).second;
      (fresh ? first : later).push_back(std::move(order));
    }
    Task task;
    task.batch = std::move(first);
    settle(std::move(task));
    batch = std::move(later);
  }
}

bool Writer::paused() {
  const auto at = steady_clock::now();
  if (at < look_again_ || !connect()) return paused_;
  try {
    paused_ = !connection_->run(read_switch).empty();
    look_again_ = at + look_interval;
  } catch (const store::DbError& error) {
    log_warning("intake", "the switch of the intake cannot be read", {{"error", error.what()}});
    if (error.connection_lost) connection_.reset();
  }
  return paused_;
}

void Writer::replay_or_refuse(Batch batch) {
  try {
    if (!connect()) return refuse(batch, Placed::Kind::unavailable, false);
    // Several may have one key, and each round finds one of them.
    for (std::size_t before = 0; before != batch.size();) {
      before = batch.size();
      answer_replays(batch);
    }
    refuse(batch, Placed::Kind::paused, false);
  } catch (const store::DbError& error) {
    log_warning("intake", "replays were not looked up", {{"error", error.what()}});
    if (error.connection_lost) connection_.reset();
    refuse(batch, Placed::Kind::unavailable, false);
  }
}

void Writer::settle(Task task) {
  if (task.until == steady_clock::time_point{}) task.until = steady_clock::now() + options_.settle_timeout;
  while (!task.batch.empty()) {
    if (!(task.maybe_written ? connect_within_settle_timeout() : connect()))
      return refuse(task.batch, Placed::Kind::unavailable, task.maybe_written);
    try {
      if (try_once(task)) return;
    } catch (const store::DbError& error) {
      if (!failed(task, error)) return;
    } catch (const std::exception& error) {
      log_error("intake", "a batch of orders could not be written", {{"error", error.what()}});
      return refuse(task.batch, Placed::Kind::failed, task.maybe_written);
    }
    if (++task.tries == tries_max || steady_clock::now() >= task.until)
      return refuse(task.batch, Placed::Kind::unavailable, task.maybe_written);
  }
}

/// What a failed try means; false when all of the task has been dealt with.
bool Writer::failed(Task& task, const store::DbError& error) {
  // A key that was used before is a caller's everyday retry.
  const bool key_used = error.sqlstate == sqlstate_key_used;
  log_summed(
      key_used ? LogLevel::debug : LogLevel::warning, "intake", "a batch of orders was not committed",
      {{"orders", std::to_string(task.batch.size())}, {"sqlstate", error.sqlstate}, {"error", error.what()}});
  const store::Trouble trouble = store::trouble_of(error.sqlstate);
  const bool never = is_orders_fault(error.sqlstate);
  if (!key_used) cause_ = store::cause_of(error.sqlstate);
  if (error.connection_lost) {
    connection_.reset();
    // Who may not write has written nothing; of all others the COMMIT may have been the last that was heard.
    if (error.sqlstate != sqlstate_read_only) task.maybe_written = task.look_up_orders = true;
  } else if (key_used) {
    task.look_up_keys = true;
  } else if (error.sqlstate == unique_violation && task.maybe_written) {
    task.look_up_orders = true;
  } else if (store::is_locked(error.sqlstate)) {
    // A lost COMMIT may hold its own rows: they stay together. Else the next try is on the log's next shard,
    // and then it is one of the orders.
    if (task.maybe_written || task.tries == 0) return true;
    if (task.batch.size() == 1) return refuse(task.batch, Placed::Kind::unavailable, false), false;
    task.locked = true;
    return take_apart(std::move(task)), false;
  } else if (trouble == store::Trouble::passing && !never) {
    return refuse(task.batch, Placed::Kind::unavailable, task.maybe_written), false;
  } else if (task.batch.size() > 1) {
    return take_apart(std::move(task)), false;
  } else if (never || !task.maybe_written) {
    return refuse(task.batch, never ? Placed::Kind::failed : Placed::Kind::unavailable, false), false;
  }
  return true;
}

bool Writer::try_once(Task& task) {
  if (task.look_up_keys) answer_replays(task.batch);
  if (task.look_up_orders) answer_committed(task.batch);
  task.look_up_keys = task.look_up_orders = false;
  if (task.batch.empty()) return true;
  ORDERD_FAULT_POINT("intake.before_commit");
  commit(task.batch);
  ORDERD_FAULT_POINT("intake.after_commit");
  outbox::appended().raise();
  troubles().clear("intake");
  cause_ = {};
  accepted_.Increment(static_cast<double>(task.batch.size()));
  batches_.Increment();
  for (const auto& order : task.batch) observe(took_, now() - order->created.at);
  for (auto& order : task.batch) order->finish(Placed::Kind::created);
  return true;
}

void Writer::take_apart(Task task) {
  for (auto& order : task.batch) {
    Task one;
    one.maybe_written = task.maybe_written;
    one.locked = task.locked;
    if (task.locked) one.tries = tries_max - 1;
    one.until = task.locked ? task.until : steady_clock::time_point{};
    one.batch.push_back(std::move(order));
    if (one.locked && steady_clock::now() >= one.until)
      refuse(one.batch, Placed::Kind::unavailable, one.maybe_written);
    else
      settle(std::move(one));
  }
}

void Writer::commit(const Batch& batch) {
  std::vector<Uuid> ids, secret_ids;
  std::vector<Time> times;
  std::vector<std::string> bodies, sealed;
  std::vector<std::int16_t> payment_statuses;
  std::vector<KeyUse> keys;
  const auto shard = next_shard_ = static_cast<std::int16_t>((next_shard_ + 1) % options_.shards);
  std::map<std::int16_t, std::vector<Event>> events;
  for (const auto& order : batch) {
    ids.push_back(order->created.order_id);
    times.push_back(order->created.at);
    bodies.push_back(order->body);
    payment_statuses.push_back(static_cast<std::int16_t>(order->payment_status));
    events[shard].push_back(order->created);
    if (order->has_key()) keys.push_back({&order->placement.key, order->created.order_id});
    if (order->sealed.empty()) continue;
    secret_ids.push_back(order->created.order_id);
    sealed.push_back(order->sealed);
  }
  store::UnitOfWork work(*connection_);
  claim_keys(work, std::move(keys), 1);
  work.send(insert_orders, store::Args().uuids(ids).timestamptzs(times).jsonbs(bodies));
  work.send(insert_states, store::Args().uuids(ids).int2s(payment_statuses).int2(shard));
  if (!secret_ids.empty()) work.send(insert_secrets, store::Args().uuids(secret_ids).byteas(sealed));
  outbox::append(work, events);
  work.commit();
}

void Writer::answer_replays(Batch& batch) {
  std::vector<const IdempotencyKey*> keys;
  for (const auto& order : batch)
    if (order->has_key()) keys.push_back(&order->placement.key);
  for (const UsedKey& used : used_keys(*connection_, keys)) {
    const auto is_it = [&](const auto& order) {
      return order->placement.key.value == used.value && order->placement.key.scope == used.scope;
    };
    const auto order = std::find_if(batch.begin(), batch.end(), is_it);
    if (order == batch.end()) continue;
    answer_replay(**order, used);
    batch.erase(order);
  }
}

void Writer::answer_replay(PendingOrder& order, const UsedKey& used) {
  if (used.order_id == order.created.order_id)
    return order.finish(Placed::Kind::created);  // its own, by a lost COMMIT
  if (used.fingerprint != order.placement.key.fingerprint) return order.finish(Placed::Kind::key_reused);
  std::vector<Event> first;
  for (auto& entry : outbox::history(*connection_, used.order_id))
    if (entry.event.version == 1) first.push_back(std::move(entry.event));
  auto answer = fold_order(first);
  if (!answer) {
    log_error("intake", "ORDER_CREATED is missing or damaged", {{"order", used.order_id.to_string()}});
    return order.finish(Placed::Kind::failed);
  }
  order.answer = std::move(*answer);
  order.finish(Placed::Kind::replayed);
}

void Writer::answer_committed(Batch& batch) {
  std::vector<Uuid> ids;
  for (const auto& order : batch) ids.push_back(order->created.order_id);
  const store::Rows rows = connection_->run(read_existing, store::Args().uuids(ids));
  std::unordered_set<Uuid> there;
  for (int i = 0; i < rows.size(); ++i) there.insert(rows.uuid(i, 0));
  const auto open = std::stable_partition(batch.begin(), batch.end(), [&](const auto& order) {
    return !there.contains(order->created.order_id);
  });
  if (open != batch.end()) outbox::appended().raise();
  for (auto order = open; order != batch.end(); ++order) (*order)->finish(Placed::Kind::created);
  batch.erase(open, batch.end());
}

void Writer::refuse(Batch& batch, Placed::Kind kind, bool maybe_written) {
  if (kind == Placed::Kind::unavailable && !batch.empty())
    troubles().say("intake",
                   "new orders are refused: " + std::string(cause_.empty() ? store::cause_of("") : cause_));
  for (auto& order : batch) order->finish(kind, maybe_written, cause_);
  batch.clear();
}

bool Writer::connect() {
  if (connection_ && connection_->alive() && !connection_->read_only()) return true;
  connection_.reset();
  if (steady_clock::now() < connect_again_) return false;
  try {
    auto fresh = std::make_unique<store::Connection>(options_.database);
    if (fresh->read_only())
      throw store::DbError(std::string(store::cause_of(sqlstate_read_only)), std::string(sqlstate_read_only),
                           true);
    connection_ = std::move(fresh);
    if (std::exchange(away_, false)) log_info("intake", "the database is back, new orders are taken");
    return true;
  } catch (const store::DbError& error) {
    if (!std::exchange(away_, true))
      log_warning("intake", "new orders are refused until the database is back", {{"error", error.what()}});
    cause_ = store::cause_of(error.sqlstate);
    connect_again_ = steady_clock::now() + reconnect_interval;
    return false;
  }
}

bool Writer::connect_within_settle_timeout() {
  const auto end = steady_clock::now() + options_.settle_timeout;
  while (!connect()) {
    if (steady_clock::now() >= end || store::stopped_waiting()) return false;
    // Whoever comes meanwhile is answered at once; the empty-handed wait is the pause between two tries.
    Batch meanwhile = queue_.take(options_.batch_orders_max, reconnect_interval);
    refuse(meanwhile, Placed::Kind::unavailable, false);
    if (meanwhile.empty() && queue_.closed()) std::this_thread::sleep_for(reconnect_interval);
  }
  return true;
}

void Writer::purge_when_due(bool idle) {
  const auto at = steady_clock::now();
  if (at < purge_again_ || !connect()) return;
  purge_again_ = at + purge_interval;
  try {
    const bool more = purge_keys(*connection_, purge_rows_max) == purge_rows_max;
    if (more) purge_again_ = idle ? at : at + purge_interval_behind;
  } catch (const store::DbError& error) {
    log_warning("intake", "expired idempotency keys were not deleted, trying again later",
                {{"error", error.what()}});
    if (error.connection_lost) connection_.reset();
  }
}

}  // namespace orderd::intake
