#include "sim/provider.h"

#include "saga/core/decide.h"
#include "sim/judge.h"
#include "sim/world.h"

namespace orderd::sim {
namespace {

void decline(Call& call, const char* code) {
  call.fate = Fate::declined;
  call.code = code;
}

}  // namespace

Provider::Provider(World& world) : Remote(world, "provider", world.plan.payment, world.plan.key_window) {}

PaymentTotals Provider::totals(const Uuid& order) const {
  const auto found = ledger_.find(order);
  if (found == ledger_.end()) return {};
  const Money& money = found->second;
  return {money.authorized, money.captured, money.refunded, money.voided};
}

Outcome Provider::outcome_of(const Call& call) const {
  Outcome outcome = Remote::outcome_of(call);
  outcome.totals = totals(call.order);
  outcome.provider_reference = "ref";
  if (call.fate == Fate::pending && call.action == "payment.authorize")
    outcome.next_action = NextAction{"redirect", "https://bank.example/3ds"};
  return outcome;
}

/// Another account has no such payment: it lets nothing go with success, and refuses the rest. What has its
/// effect there is another shop's loss, and of what nobody has heard before nobody can tell: an
/// authorization, and a void of what may still come, are not sent there.
std::optional<Outcome> Provider::misdirected(const Command& command) {
  const bool can = command.query_key.empty() && command.totals.authorized > 0 && !find(command.key);
  if (!can || !world_.chance(world_.plan.other_account)) return std::nullopt;
  world_.hit(Hit::other_account);
  world_.say([&] { return "  another account gets " + world_.short_key(command.key); });
  Outcome outcome = command.action == "payment.void" ? simple(OutcomeKind::done, "")
                                                     : simple(OutcomeKind::declined, "NO_SUCH_PAYMENT");
  outcome.totals = PaymentTotals{};
  return outcome;
}

/// A signed notice about the payment as a whole, with the totals of an account that does not have it.
void Provider::tell_of_another(const Call& call) {
  if (!world_.chance(world_.plan.other_account)) return;
  world_.hit(Hit::other_account);
  saga::Notice notice{"", "", simple(OutcomeKind::declined, "REVERSED"),
                      "webhook evt_" + std::to_string(++events_)};
  notice.outcome.totals = PaymentTotals{};
  later(call.order, world_.random.ms(0, 3000), [this, notice, order = call.order] {
    world_.say([&] { return "  " + notice.by + ": another account's totals of " + world_.name_of(order); });
    world_.tables.put(order, notice);
  });
}

bool Provider::captures_wait(const Uuid& order) const {
  for (const auto& [key, call] : calls_)
    if (call.order == order && call.action == "payment.capture" &&
        (call.fate == Fate::pending || call.fate == Fate::under_way))
      return true;
  return false;
}

std::optional<Call> Provider::carry_out(const Command& command, Call call) {
  Money& money = ledger_[command.order_id];
  if (call.action == "payment.void" && captures_wait(call.order)) {
    world_.hit(Hit::void_too_early);
    return std::nullopt;
  }
  if (call.action == "payment.authorize") authorize(call, money);
  if (call.action == "payment.capture") capture(call, money);
  if (call.action == "payment.void") let_go(call, money);
  if (call.action == "payment.refund") refund(call, money);
  if (call.fate == Fate::done && call.action != "payment.void") book(call, 1);
  return call;
}

void Provider::authorize(Call& call, Money& money) {
  if (money.closed && world_.plan.void_closes) {
    world_.hit(Hit::authorize_closed);
    return decline(call, "PAYMENT_CLOSED");
  }
  if (world_.chance(world_.plan.payment.declined)) return decline(call, "INSUFFICIENT_FUNDS");
  if (!world_.chance(world_.plan.pending)) return;
  world_.hit(Hit::authorize_pending);
  call.fate = Fate::pending;
  if (world_.random.chance(80)) call.expires = world_.now() + world_.random.ms(1000, 8000);
}

void Provider::capture(Call& call, Money& money) {
  if (money.authorized - money.voided <= 0) return decline(call, "NOT_AUTHORIZED");
  if (world_.chance(world_.plan.payment.declined)) return decline(call, "CAPTURE_DECLINED");
  if (!world_.chance(world_.plan.pending)) return;
  world_.hit(Hit::capture_pending);
  call.fate = Fate::pending;
}

void Provider::let_go(Call& call, Money& money) {
  if (money.captured > 0) {
    world_.hit(Hit::void_of_captured);
    return decline(call, "ALREADY_CAPTURED");
  }
  world_.hit(money.authorized > money.voided ? Hit::void_done : Hit::void_of_nothing);
  money.voided = money.authorized;
  money.closed = true;
  if (!world_.plan.void_closes) return;
  for (auto& [key, other] : calls_) {
    if (other.order != call.order || other.fate != Fate::pending) continue;
    world_.hit(Hit::pending_voided);
    decline(other, "PAYMENT_CLOSED");
    other.expires.reset();
    tell(other, OutcomeKind::declined, other.code);
  }
}

void Provider::refund(Call& call, Money& money) {
  if (money.captured - money.refunded < call.amount) return decline(call, "NOT_CAPTURED");
  if (!world_.chance(world_.plan.pending)) return;
  world_.hit(Hit::refund_pending);
  call.fate = Fate::pending;
}

void Provider::book(const Call& call, int sign) {
  Money& money = ledger_[call.order];
  if (call.action == "payment.authorize") money.authorized += sign * call.amount;
  if (call.action == "payment.capture") money.captured += sign * call.amount;
  if (call.action == "payment.refund") money.refunded += sign * call.amount;
  if (call.action == "payment.refund" && sign > 0) {
    ++money.refunds;
    world_.judge->refunds(call.order, money.refunds);
  }
  const bool takes = (call.action == "payment.refund") != (sign > 0);
  // After a void nobody waits for an authorization, and after a refund nobody for its failure, whether or not
  // the order is over by then.
  const bool unawaited = money.closed && call.action == "payment.authorize";
  if (takes && (sign < 0 || unawaited || world_.is_over(call.order)))
    world_.judge->late_money(call.order, call.action);
}

void Provider::finished(const Call& call) {
  if (call.fate == Fate::pending) return settle_later(call);
  const bool done = call.fate == Fate::done;
  if (call.action == "payment.authorize") world_.hit(done ? Hit::authorize_done : Hit::authorize_declined);
  if (call.action == "payment.capture") world_.hit(done ? Hit::capture_done : Hit::capture_declined);
  if (call.action == "payment.refund") world_.hit(done ? Hit::refund_done : Hit::refund_declined);
  tell(call, done ? OutcomeKind::done : OutcomeKind::declined, call.code);
  reverse_later(call);
}

/// A buyer, or another bank, makes up his mind.
void Provider::settle_later(const Call& call) {
  const std::string key = call.key;
  const int what = world_.random.below(10);
  Millis wait = world_.random.ms(100, 5000);
  if (call.expires && what >= 7) {  // the buyer does not come, or comes too late
    wait = *call.expires - world_.now() + world_.random.ms(1, 1500);
    const bool late = what == 9;
    return later(call.order, wait, [this, key, late] {
      settle(key, late ? Fate::done : Fate::declined, late ? "" : "PAYMENT_EXPIRED");
    });
  }
  later(call.order, wait, [this, key, what] {
    settle(key, what < 2 ? Fate::declined : Fate::done, what < 2 ? "PAYMENT_DECLINED" : "");
  });
}

void Provider::settle(const std::string& key, Fate fate, const std::string& code) {
  Call& call = *entry(key);
  if (call.fate != Fate::pending) return;  // closed meanwhile
  if (call.action == "payment.authorize" && fate == Fate::done && ledger_[call.order].closed)
    world_.hit(Hit::pending_late);
  if (call.action == "payment.refund" && fate == Fate::done &&
      ledger_[call.order].captured - ledger_[call.order].refunded < call.amount)
    fate = Fate::declined;  // given back by somebody else meanwhile
  world_.hit(fate == Fate::done          ? Hit::pending_done
             : code == "PAYMENT_EXPIRED" ? Hit::pending_expired
                                         : Hit::pending_declined);
  call.fate = fate;
  call.code = code;
  call.at = world_.now();
  call.expires.reset();
  world_.say([&] {
    return "  provider: " + world_.short_key(key) + (fate == Fate::done ? " is done" : " comes to nothing");
  });
  if (fate == Fate::done) book(call, 1);
  tell(call, fate == Fate::done ? OutcomeKind::done : OutcomeKind::declined, code);
  reverse_later(call);
}

/// A success that is taken back after days: here, seconds.
void Provider::reverse_later(const Call& call) {
  const bool can = call.action == "payment.capture" || call.action == "payment.refund";
  if (!can || call.fate != Fate::done || !world_.chance(world_.plan.reversed)) return;
  const std::string key = call.key;
  const bool at_once = world_.chance(30);  // the call's answer may still be on its way
  later(call.order, at_once ? world_.random.ms(0, 20) : world_.random.ms(100, 6000), [this, key] {
    Call& back = *entry(key);
    Money& money = ledger_[back.order];
    const bool capture = back.action == "payment.capture";
    if (capture ? money.captured - back.amount < money.refunded : money.refunded < back.amount) return;
    world_.hit(capture ? Hit::capture_reversed : Hit::refund_reversed);
    world_.say([&] { return "  provider: takes back " + world_.short_key(key); });
    money.reversed = true;
    book(back, -1);
    decline(back, "FAILED_LATER");
    back.at = world_.now();
    tell(back, OutcomeKind::declined, back.code);
  });
}

void Provider::refund_past_the_host(const Uuid& order) {
  Money& money = ledger_[order];
  if (money.captured == 0 || money.refunded > 0 || world_.judge->is_decided(order)) return;
  for (const auto& [key, call] : calls_)
    if (call.order == order && call.action == "payment.refund") return;
  world_.hit(Hit::dashboard_refund);
  world_.say([&] { return "somebody refunds " + world_.name_of(order) + " in the provider's pages"; });
  money.refunded = money.captured;
  money.reversed = true;
}

/// By webhook: perhaps lost, late, twice, or saying no more than that there are news.
void Provider::tell(const Call& call, OutcomeKind kind, const std::string& code) {
  tell_of_another(call);
  if (!world_.random.chance(world_.plan.webhooks)) return world_.hit(Hit::webhook_lost);
  saga::Notice notice{call.key, call.action, simple(kind, code), "webhook evt_" + std::to_string(++events_)};
  notice.outcome.totals = totals(call.order);
  notice.outcome.provider_reference = "ref";
  notice.occurred = world_.now();
  if (world_.chance(world_.plan.vague)) {
    world_.hit(Hit::webhook_vague);
    notice.outcome = simple(OutcomeKind::unknown, "");
  }
  const int times = world_.chance(10) ? 2 : 1;
  if (times == 2) world_.hit(Hit::webhook_twice);
  for (int i = 0; i < times; ++i) {
    const bool slow = world_.random.chance(25);
    if (!slow) world_.hit(Hit::webhook_early);
    later(call.order, slow ? world_.random.ms(50, 4000) : world_.random.ms(0, 20), [this, notice, call] {
      world_.hit(Hit::webhook);
      world_.say(
          [&] { return "  " + notice.by + ": " + world_.short_key(call.key) + " " + notice.outcome.code; });
      world_.tables.put(call.order, notice);
    });
  }
}

}  // namespace orderd::sim
