#include "intake/cancel.h"

#include <algorithm>

#include "base/fault.h"
#include "base/log.h"
#include "outbox/log.h"

namespace orderd::intake {
namespace {

constexpr store::Statement lock_order{
    "lock_order_to_cancel", "select shard, version from order_state where id = $1 for no key update"};
constexpr store::Statement set_cancelling{
    "set_cancelling",
    "with o as (update order_state set status = $3::int2, version = $2::int4 where id = $1 and version = "
    "$2::int4 - 1 "
    "returning 1) select orderd_expect((select count(*) from o), 1, 'OD002', 'order to cancel')"};
constexpr store::Statement set_key_version{
    "set_key_version", "update idempotency_keys set version = $3::int4 where scope = $1 and key = $2"};

constexpr const char* default_reason = "Cancelled on request";

std::optional<FoldedOrder> read_order(store::Connection& connection, const Uuid& id,
                                      std::int32_t version_max) {
  std::vector<Event> events;
  for (auto& entry : outbox::history(connection, id))
    if (entry.event.version <= version_max) events.push_back(std::move(entry.event));
  return fold_order(events);
}

Cancelled::Kind answer_for(Status status) {
  return status == Status::cancelled ? Cancelled::Kind::already_cancelled : Cancelled::Kind::accepted;
}

/// Apart from the transaction that follows: an order's customer never changes.
bool is_of(store::Connection& connection, const Uuid& id, const std::string& customer) {
  const auto entries = outbox::history(connection, id);
  const auto body = entries.empty() ? std::nullopt : read_body(entries.front().event.payload);
  return body && body->customer_id == customer;
}

Cancelled replay(store::Connection& connection, const CancelWish& wish) {
  const auto used = used_keys(connection, {&wish.key});
  if (used.empty())
    throw store::DbError("an idempotency key vanished while it was looked up", "40001", false);
  if (used[0].fingerprint != wish.key.fingerprint) return {Cancelled::Kind::key_reused, false, {}};
  auto order = read_order(connection, used[0].order_id, used[0].version);
  if (!order)
    throw store::DbError("the events of order " + used[0].order_id.to_string() + " are damaged", "XX001",
                         false);
  return {answer_for(order->snapshot.status), true, std::move(*order)};
}

Event cancel_requested(const CancelWish& wish, const OrderHead& before) {
  OrderHead head = before;
  head.version = before.version + 1;
  head.type = EventType::order_cancel_requested;
  head.at = std::max(now(), before.at);
  head.status = Status::cancelling;
  head.reason = Reason{"CANCELLED_BY_REQUEST", wish.reason.empty() ? default_reason : wish.reason};
  return {head.id, head.version, head.type, head.at, event_payload(head, ""), wish.traceparent};
}

/// The decision and, unless it is a refusal, COMMIT. `work` has claimed the key.
Cancelled decide_and_write(store::UnitOfWork& work, const CancelWish& wish) {
  const store::Rows state = work.run(lock_order, store::Args().uuid(wish.order_id));
  if (state.empty()) return {};
  const auto shard = static_cast<std::int16_t>(state.integer(0, 0));
  const auto version = static_cast<std::int32_t>(state.integer(0, 1));
  std::vector<Event> events;
  for (auto& entry : outbox::history(work.connection(), wish.order_id))
    events.push_back(std::move(entry.event));
  auto order = fold_order(events);
  if (!order || order->snapshot.version != version)
    throw store::DbError("state and events of order " + wish.order_id.to_string() + " differ", "XX001",
                         false);
  const auto is_current = [&](std::int32_t wanted) { return wanted == version; };
  if (wish.if_versions && std::none_of(wish.if_versions->begin(), wish.if_versions->end(), is_current))
    return {Cancelled::Kind::version_differs, false, std::move(*order)};

  const CancelDecision decision = decide_cancel(order->snapshot.status);
  if (decision == CancelDecision::refused) return {Cancelled::Kind::refused, false, std::move(*order)};
  const bool writes = decision == CancelDecision::request;
  if (writes) {
    events.push_back(cancel_requested(wish, *read_head(events.back())));
    order = fold_order(events);
    work.send(set_cancelling, store::Args()
                                  .uuid(wish.order_id)
                                  .int4(version + 1)
                                  .int2(static_cast<std::int16_t>(Status::cancelling)));
  }
  if (!wish.key.value.empty())
    work.send(set_key_version,
              store::Args().text(wish.key.scope).text(wish.key.value).int4(order->snapshot.version));
  if (writes) outbox::append(work, {{shard, {events.back()}}});
  ORDERD_FAULT_POINT("cancel.before_commit");
  work.commit();
  ORDERD_FAULT_POINT("cancel.after_commit");
  if (writes) outbox::appended().raise();
  return {answer_for(order->snapshot.status), false, std::move(*order)};
}

}  // namespace

CancelDecision decide_cancel(Status status) {
  switch (status) {
    case Status::pending:
    case Status::payment_authorized:
    case Status::inventory_reserved:
    case Status::confirmed:
      return CancelDecision::request;
    case Status::cancelling:
      return CancelDecision::already_under_way;
    case Status::cancelled:
      return CancelDecision::already_cancelled;
    case Status::rejected:
      return CancelDecision::refused;
  }
  return CancelDecision::refused;
}

Cancelled cancel(store::Pool& pool, const CancelWish& wish) {
  auto connection = pool.acquire();
  if (wish.only_customer && !is_of(*connection, wish.order_id, *wish.only_customer)) return {};
  try {
    store::UnitOfWork work(*connection);
    if (!wish.key.value.empty()) claim_keys(work, {{&wish.key, wish.order_id}}, 0);
    return decide_and_write(work, wish);
  } catch (const store::DbError& error) {
    if (error.sqlstate != sqlstate_key_used) throw;
  }
  return replay(*connection, wish);
}

}  // namespace orderd::intake
