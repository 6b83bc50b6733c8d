#include "sim/judge.h"

#include <algorithm>

#include "model/order_json.h"
#include "sim/provider.h"
#include "sim/warehouse.h"
#include "sim/world.h"

namespace orderd::sim {

void Judge::complain(const Uuid& order, const std::string& what) const {
  throw Wrong(world_.name_of(order) + ": " + what);
}

bool Judge::holds_goods(const Uuid& order) const {
  return world_.warehouse->holds(order) || world_.tables.stock.reserved.contains(order) ||
         world_.tables.stock.sold.contains(order);
}

bool Judge::has_goods(const Uuid& order) const {
  return world_.warehouse->has_sold(order) || world_.tables.stock.sold.contains(order);
}

std::int64_t Judge::held(const Uuid& order) const {
  const auto seen = of_.find(order);
  return world_.provider->money(order).held() - (seen == of_.end() ? 0 : seen->second.by_hand);
}

void Judge::decided(const Uuid& order, std::string word, std::int64_t amount) {
  decisions_[order].push_back({std::move(word), amount});
}

/// Each attempt in a saga's timeline names the person and the reason.
void Judge::take_decisions(const Uuid& order) {
  const auto found = decisions_.find(order);
  if (found == decisions_.end() || found->second.empty()) return;
  const auto live = world_.tables.sagas.find(order);
  const saga::Saga saga =
      *saga::from_json(live != world_.tables.sagas.end() ? live->second : world_.tables.journal.at(order));
  std::erase_if(found->second, [&](const Decision& one) {
    const bool taken = std::any_of(saga.attempts.begin(), saga.attempts.end(), [&](const auto& attempt) {
      return attempt.by.find(one.word) != std::string::npos;
    });
    if (taken) of_[order].by_hand += one.amount;
    return taken;
  });
}

void Judge::refunds(const Uuid& order, int count) {
  constexpr int by_itself_max = 2;
  if (count > 1 + of_[order].verbs) world_.hit(Hit::refund_failed_again);
  if (count > by_itself_max + of_[order].verbs)
    complain(order, "it is refunded again and again, and no person asked");
}

void Judge::look() {
  for (const Uuid& order : world_.tables.touched) take_decisions(order);
  for (; read_ < world_.tables.log.size(); ++read_) read(world_.tables.log[read_]);
  for (const Uuid& order : world_.tables.touched) look_at_saga(order);
  world_.tables.touched.clear();
  look_at_money();
  look_at_goods();
}

void Judge::read(const Event& event) {
  Seen& seen = of_[event.order_id];
  const auto head = read_head(event);
  world_.say([&] {
    return world_.name_of(event.order_id) + " version " + std::to_string(event.version) + ": " +
           std::string(name(event.type)) + ", " + std::string(name(head->status)) + ", payment " +
           std::string(name(head->payment.status));
  });
  if (event.version != ++seen.version) complain(event.order_id, "its versions have a gap");
  if (is_terminal(seen.status) && (head->status != seen.status || event.type != EventType::payment_updated))
    complain(event.order_id, "something follows its end");
  const bool ends = is_final(head->status) && head->status != seen.status;
  seen.status = head->status;
  seen.moved = world_.now();
  if (ends) ended(event, *head);
}

/// Money and goods are where they belong at the very moment of the end.
void Judge::ended(const Event& event, const OrderHead& head) {
  const Uuid& id = event.order_id;
  const Money& money = world_.provider->money(id);
  if (head.status != Status::confirmed) {
    world_.hit(head.status == Status::cancelled ? Hit::cancelled : Hit::rejected);
    if (head.reason && head.reason->code == "SAGA_TIMEOUT") world_.hit(Hit::total_limit);
    if (held(id) != 0 && !of_[id].late)
      complain(id, "it ends while the provider holds " + std::to_string(held(id)));
    if (holds_goods(id)) complain(id, "it ends while its goods are held");
    return;
  }
  world_.hit(Hit::confirmed);
  const std::int64_t total = world_.tables.orders.at(id).body.total;
  if (money.captured - money.refunded != total && !money.reversed)
    complain(id, "it is confirmed, and the provider has " + std::to_string(money.captured - money.refunded) +
                     " of " + std::to_string(total));
  if (!has_goods(id)) complain(id, "it is confirmed without its goods");
}

void Judge::look_at_saga(const Uuid& order) {
  Seen& seen = of_[order];
  seen.moved = world_.now();
  const auto live = world_.tables.sagas.find(order);
  if (live == world_.tables.sagas.end()) return;
  const auto saga = saga::from_json(live->second);
  if (seen.definition.empty()) seen.definition = saga->definition;
  if (seen.definition != saga->definition) complain(order, "its definition changes under way");
  if (saga->stuck && !seen.stuck) {
    world_.hit(Hit::stuck);
    if (saga->stuck->code == "OUTCOME_UNKNOWN") world_.hit(Hit::unknown_outcome);
    if (saga->stuck->code == "PAYMENT_CONTRADICTED") world_.hit(Hit::contradicted);
    if (saga->stuck->message.find("no longer knows the key") != std::string::npos)
      world_.hit(Hit::key_forgotten);
    world_.say([&] { return world_.name_of(order) + " is STUCK: " + saga->stuck->message; });
  }
  seen.stuck = saga->stuck.has_value();
  if (saga->attention) world_.hit(Hit::attention);
  if (saga->attention && saga->attention->code == "PAYMENT_CONTRADICTED" && is_decided(order))
    world_.hit(Hit::decision_disputed);
  if (!saga->open || saga->open->phase != saga::CommandPhase::sent) return;
  const bool fresh = intents_.insert(saga::command_key(*saga, *saga->open)).second;
  if (fresh && saga->mode == saga::Mode::forward &&
      world_.tables.orders.at(order).status == Status::cancelling)
    complain(order, "a step forward begins after its cancellation: " + saga->open->action);
}

void Judge::sent(const Uuid& order, const std::string& key) {
  if (!intents_.contains(key)) complain(order, "a call goes out before its intent is committed: " + key);
}

void Judge::late_money(const Uuid& order, const std::string& action) {
  world_.hit(Hit::late_money);
  if (action == "payment.capture") complain(order, "money is taken after its end");
  of_[order].late = true;
}

void Judge::look_at_money() {
  for (const auto& [id, money] : world_.provider->ledger()) {
    const std::int64_t total = world_.tables.orders.at(id).body.total;
    if (money.authorized > total) complain(id, "it is authorized twice");
    if (money.captured > total) complain(id, "it is charged twice");
    Seen& seen = of_[id];
    if (money.refunded > money.captured) complain(id, "more is given back than was taken");
    if (money.refunded + seen.by_hand > money.captured && !money.reversed)
      complain(id, "it is given back by a person, and again by the provider");
    if (money.voided > money.authorized) complain(id, "more is let go than was authorized");
    if (!is_terminal(seen.status)) continue;
    if (held(id) > 0 && !seen.late) complain(id, "it is over, and the provider holds its money");
    if (held(id) <= 0 && seen.late) {
      seen.late = false;
      world_.hit(Hit::late_money_undone);
    }
  }
}

void Judge::look_at_goods() const {
  const auto& stock = world_.tables.stock;
  const auto held = static_cast<std::int64_t>(stock.reserved.size() + stock.sold.size());
  if (stock.on_hand < 0 || stock.on_hand + held != world_.plan.pieces)
    throw Wrong("pieces in stock got lost");
  if (world_.warehouse->pieces() != world_.plan.pieces) throw Wrong("pieces in the warehouse got lost");
  for (const auto& [id, seen] : of_)
    if (is_terminal(seen.status) && holds_goods(id)) complain(id, "it is over, and its goods are held");
}

void Judge::at_the_end() {
  look();
  if (!world_.tables.parked.empty()) throw Wrong("a dead letter: " + world_.tables.parked.front().reason);
  for (const auto& [id, order] : world_.tables.orders) {
    const Seen& seen = of_[id];
    if (seen.version != order.version || seen.status != order.status)
      complain(id, "its row is not what its last event says");
    const Money& money = world_.provider->money(id);
    if (order.status != Status::confirmed) {
      if (held(id) > 0) complain(id, "in the end the provider holds its money");
      if (holds_goods(id)) complain(id, "in the end its goods are held");
      continue;
    }
    if (!has_goods(id)) complain(id, "in the end it is confirmed without its goods");
    if (money.captured - money.refunded == order.body.total) continue;
    const auto saga = saga::from_json(world_.tables.journal.at(id));
    const bool seen_by_person =
        std::any_of(saga->attempts.begin(), saga->attempts.end(),
                    [](const auto& attempt) { return attempt.action.rfind("acknowledge", 0) == 0; });
    if (!saga->attention && !seen_by_person) complain(id, "its money was taken back, and nobody is told");
  }
}

}  // namespace orderd::sim
