#include "sim/warehouse.h"

#include "sim/judge.h"
#include "sim/world.h"
#include "support/saga_world_store.h"

namespace orderd::sim {
namespace {

void decline(Call& call, const char* code) {
  call.fate = Fate::declined;
  call.code = code;
}

}  // namespace

Warehouse::Warehouse(World& world)
    : Remote(world, "warehouse", world.plan.goods, Millis(0)), on_hand_(world.plan.pieces) {}

bool Warehouse::holds(const Uuid& order) const {
  const auto found = of_.find(order);
  return found != of_.end() && (found->second == State::reserved || found->second == State::sold);
}

bool Warehouse::has_sold(const Uuid& order) const {
  const auto found = of_.find(order);
  return found != of_.end() && found->second == State::sold;
}

std::int64_t Warehouse::pieces() const {
  std::int64_t held = on_hand_;
  for (const auto& [order, state] : of_) held += state == State::reserved || state == State::sold;
  return held;
}

std::optional<Call> Warehouse::carry_out(const Command& command, Call call) {
  const auto found = of_.find(command.order_id);
  const bool reserved = found != of_.end() && found->second == State::reserved;
  if (call.action == "inventory.reserve") reserve(call);
  if (call.action == "inventory.extend") {
    world_.hit(reserved ? Hit::extended : Hit::extend_declined);
    if (!reserved)
      decline(call, "RESERVATION_EXPIRED");
    else
      ends_.erase(call.order);
  }
  if (call.action == "inventory.commit" && !has_sold(call.order)) {
    if (!reserved) {
      world_.hit(Hit::commit_declined);
      decline(call, "RESERVATION_EXPIRED");
    } else {
      of_[call.order] = State::sold;
    }
  }
  if (call.action == "inventory.release") {
    on_hand_ += holds(call.order);
    of_[call.order] = State::closed;
  }
  return call;
}

void Warehouse::reserve(Call& call) {
  const auto found = of_.find(call.order);
  if (found != of_.end() && found->second == State::closed) {
    world_.hit(Hit::reserve_closed);
    return decline(call, "RESERVATION_CLOSED");
  }
  if (!holds(call.order)) {
    if (on_hand_ == 0) {
      world_.hit(Hit::out_of_stock);
      return decline(call, "OUT_OF_STOCK");
    }
    --on_hand_;
    of_[call.order] = State::reserved;
    if (world_.plan.reservation > Millis(0)) hold_until(call.order, world_.now() + world_.plan.reservation);
  }
  if (const auto end = ends_.find(call.order); end != ends_.end()) call.expires = end->second;
}

void Warehouse::hold_until(const Uuid& order, Time end) {
  ends_[order] = end;
  world_.agenda.at(end, [this, order] {
    const auto found = of_.find(order);
    if (!ends_.contains(order) || found->second != State::reserved) return;
    world_.hit(Hit::reservation_expired);
    world_.say([&] { return "  warehouse: lets go of " + world_.name_of(order); });
    found->second = State::expired;
    ends_.erase(order);
    ++on_hand_;
  });
}

Checker::Checker(World& world) : Remote(world, "checker", world.plan.goods, Millis(0)) {}

std::optional<Call> Checker::carry_out(const Command&, Call call) {
  if (!world_.chance(world_.plan.goods.declined)) return call;
  world_.hit(Hit::check_declined);
  decline(call, "SUSPICIOUS");
  return call;
}

std::vector<Outcome> execute_here(World& world, plugins::TxPort& tx, const std::vector<Command>& commands) {
  auto& [on_hand, reserved, sold, closed, writes] = dynamic_cast<saga::test::MemoryWork&>(tx).stock();
  std::vector<Outcome> out;
  for (const Command& command : commands) {
    const Uuid& id = command.order_id;
    const bool held = reserved.contains(id) || sold.contains(id);
    Outcome outcome = simple(OutcomeKind::done, "");
    if (world.chance(world.plan.goods.busy)) {
      outcome = simple(OutcomeKind::retry, "LOCKED");
    } else if (command.action == "inventory.release") {
      on_hand += static_cast<std::int64_t>(reserved.erase(id) + sold.erase(id));
      closed.insert(id);
    } else if (command.action == "inventory.reserve" && !held) {
      const bool can = on_hand > 0 && !closed.contains(id);
      if (!can) world.hit(closed.contains(id) ? Hit::reserve_closed : Hit::out_of_stock);
      if (!can) outcome = simple(OutcomeKind::declined, "OUT_OF_STOCK");
      if (can) --on_hand, reserved.insert(id);
    } else if (command.action == "inventory.commit" && !sold.contains(id)) {
      if (reserved.erase(id) != 0)
        sold.insert(id);
      else
        outcome = simple(OutcomeKind::declined, "RESERVATION_CLOSED");
    }
    out.push_back(std::move(outcome));
  }
  return out;
}

}  // namespace orderd::sim
