#include "sim/people.h"

#include "reconcile/comparison.h"
#include "sim/judge.h"
#include "sim/provider.h"
#include "sim/warehouse.h"
#include "sim/world.h"

namespace orderd::sim {
namespace {

using saga::Verb;

constexpr Millis sweeps_every{4000}, operates_every{2500};
/// So long an order must have been still to be compared: longer than any call and its answer take.
constexpr Millis still_after{6000};
constexpr int tries_max = 4;

Uuid make_id(Random& random, Time now) {
  Uuid id;
  const auto ms = static_cast<std::uint64_t>(now.time_since_epoch().count());
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  for (std::size_t i = 6; i < 16; ++i) id.bytes[i] = static_cast<std::uint8_t>(random.next());
  id.bytes[6] = static_cast<std::uint8_t>(0x70 | (id.bytes[6] & 0x0f));
  return id;
}

}  // namespace

void People::arrive() {
  for (int i = 0; i < world_.plan.orders; ++i) {
    ++coming_;
    const auto latest = static_cast<int>(world_.plan.calm_after.count()) / 2;
    world_.agenda.at(world_.now() + world_.random.ms(0, latest), [this] { place(); });
  }
}

void People::place() {
  --coming_;
  const Uuid id = make_id(world_.random, world_.now());
  const bool free = world_.random.chance(8);
  if (free) world_.hit(Hit::free_order);
  world_.placed.push_back(id);
  const auto shard = static_cast<std::int16_t>(world_.random.below(world_.plan.shards));
  world_.tables.place(id, shard, world_.now(), free ? 0 : world_.random.between(1, 5000));
  if (world_.random.chance(world_.plan.cancel)) {
    const int when = world_.random.below(5);
    const Millis wait = when == 0   ? world_.random.ms(0, 50)
                        : when <= 2 ? world_.random.ms(50, 900)
                        : when == 3 ? world_.random.ms(900, 3000)
                                    : world_.random.ms(3000, 15'000);
    world_.agenda.at(world_.now() + wait, [this, id] { cancel(id); });
  }
  if (world_.random.chance(world_.plan.dashboard))
    world_.agenda.at(world_.now() + world_.random.ms(2000, 12'000),
                     [this, id] { world_.provider->refund_past_the_host(id); });
}

void People::cancel(const Uuid& order) {
  const Status status = world_.tables.orders.at(order).status;
  if (!world_.tables.cancel(order, world_.now())) return;
  world_.hit(status == Status::pending     ? Hit::cancel_at_once
             : status == Status::confirmed ? Hit::cancel_confirmed
                                           : Hit::cancel_midway);
  world_.say([&] { return "the buyer cancels " + world_.name_of(order); });
}

void People::turn() {
  if (world_.per_mille(world_.plan.outage)) world_.provider->be_away(world_.random.ms(500, 6000));
  if (world_.now() >= sweeps_at_) sweep();
  if (world_.now() >= operates_at_) operate();
}

namespace {

reconcile::Listed listed(const Uuid& order, const Money& money) {
  return {order.to_string(), "ref", {money.authorized, money.captured, money.refunded, money.voided}};
}

}  // namespace

void People::sweep() {
  sweeps_at_ = world_.now() + sweeps_every;
  for (const auto& [id, money] : world_.provider->ledger()) {
    if (world_.now() - world_.judge->moved(id) < still_after) continue;
    const auto live = world_.tables.sagas.find(id), over = world_.tables.journal.find(id);
    const bool is_live = live != world_.tables.sagas.end();
    if (!is_live && over == world_.tables.journal.end()) continue;
    const auto stage = is_live ? reconcile::Stage::waiting : reconcile::Stage::settled;
    const auto theirs = listed(id, money);
    const auto difference =
        reconcile::compare(*saga::from_json(is_live ? live->second : over->second), stage, theirs);
    if (difference == reconcile::Difference::none) continue;
    world_.hit(Hit::sweeper_notice);
    world_.say([&, order = id] { return "the sweeper finds a difference of " + world_.name_of(order); });
    world_.tables.put(id, reconcile::notice_of(difference, theirs));
  }
}

bool People::is_content() const {
  for (const auto& [id, money] : world_.provider->ledger()) {
    const auto over = world_.tables.journal.find(id);
    if (over == world_.tables.journal.end()) continue;
    if (reconcile::compare(*saga::from_json(over->second), reconcile::Stage::settled, listed(id, money)) !=
        reconcile::Difference::none)
      return false;
  }
  return true;
}

void People::operate() {
  operates_at_ = world_.now() + operates_every;
  for (const auto& [id, data] : world_.tables.sagas) {
    const auto saga = saga::from_json(data);
    if (saga->stuck && saga->open) decide(id, *saga);
    acknowledge(id, *saga);
  }
  for (const auto& [id, data] : world_.tables.journal) acknowledge(id, *saga::from_json(data));
}

void People::acknowledge(const Uuid& order, const saga::Saga& saga) {
  if (!saga.attention || !world_.random.chance(30) || !acknowledged_.insert(order).second) return;
  world_.hit(Hit::verb_acknowledge);
  say(order, saga, {Verb::Kind::acknowledge, "alice", "seen", "", {}});
}

void People::decide(const Uuid& order, const saga::Saga& saga) {
  if (world_.provider->waits(order) || world_.warehouse->waits(order) || world_.checker->waits(order)) return;
  const saga::OpenCommand& open = *saga.open;
  if (saga.mode == saga::Mode::forward && tries_[order] > tries_max) {
    if (world_.tables.cancel(order, world_.now())) {
      world_.hit(Hit::cancel_stuck);
      world_.say([&] { return "an operator cancels " + world_.name_of(order); });
      return;
    }
  }
  ++tries_[order];
  Verb verb{Verb::Kind::retry, "alice", "looked at it", "", {}};
  if (open.action.rfind("payment.", 0) == 0)
    verb = payment_verb(saga);
  else if (const Call* call = world_.warehouse->find(saga::command_key(saga, open));
           call && call->fate == Fate::done)
    verb.kind = Verb::Kind::done;
  verb.sequence = open.sequence;
  world_.judge->asked(order);
  world_.hit(verb.kind == Verb::Kind::retry  ? Hit::verb_retry
             : verb.kind == Verb::Kind::done ? Hit::verb_done
                                             : Hit::verb_skip);
  say(order, saga, verb);
}

/// What somebody does who has the provider's pages open.
saga::Verb People::payment_verb(const saga::Saga& saga) {
  const saga::OpenCommand& open = *saga.open;
  Verb verb{Verb::Kind::retry, "alice", "looked at the provider", "ref", {}};
  const Call* call = world_.provider->find(saga::command_key(saga, open));
  const bool holds = world_.judge->held(saga.order_id) != 0;
  if (call && call->fate == Fate::done && !(open.compensation && holds)) {
    verb.kind = Verb::Kind::done;
    verb.amount = call->amount;
  } else if (open.compensation && !holds) {
    verb.kind = Verb::Kind::skip;
  } else if (open.action == "payment.refund" && world_.random.chance(world_.plan.by_hand)) {
    return settle_by_hand(saga);
  }
  return verb;
}

/// A refund that does not come about: the buyer gets it in cash, or a part of it, or a part in the provider's
/// own pages. Only by people who see what the saga sees.
saga::Verb People::settle_by_hand(const saga::Saga& saga) {
  const Uuid& order = saga.order_id;
  const Money& money = world_.provider->money(order);
  Verb verb{Verb::Kind::retry, "alice", "in cash #" + std::to_string(++decisions_) + ".", "ref", {}};
  const std::int64_t left = saga.open->amount;
  if (world_.judge->is_decided(order) || money.captured != saga.payment.captured ||
      money.refunded != saga.payment.refunded || left != money.captured - money.refunded ||
      saga.open->unknown)
    return verb;
  const int how = left > 1 ? world_.random.below(3) : 0;
  const std::int64_t part =
      how == 0 ? left
               : 1 + static_cast<std::int64_t>(world_.random.next() % static_cast<std::uint64_t>(left - 1));
  world_.hit(how == 0 ? Hit::in_cash : how == 1 ? Hit::in_part : Hit::in_part_at_provider);
  verb.kind = how == 0 ? Verb::Kind::skip : Verb::Kind::done;
  if (how != 0) verb.amount = part;
  if (how == 2)
    world_.provider->refund_part(order, part);
  else
    world_.judge->decided(order, verb.reason, part);
  return verb;
}

void People::say(const Uuid& order, const saga::Saga& saga, saga::Verb verb) {
  world_.say([&] {
    return "an operator says " + std::string(saga::name(verb.kind)) + " to " + world_.name_of(order) +
           (saga.open ? " at " + saga.open->action : "");
  });
  world_.tables.put(order, verb);
}

}  // namespace orderd::sim
