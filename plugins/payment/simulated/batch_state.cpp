#include "batch_state.h"

namespace simulated {
namespace {

constexpr const char* unavailable = "PROVIDER_UNAVAILABLE";

Outcome failed_for_now() {
  return Outcome::retry(0, unavailable, "the simulated bank failed, without effect");
}

/// "authorize" of "payment.authorize".
const char* kind_of(std::string_view action) {
  if (action == ORDERD_PAYMENT_AUTHORIZE) return "authorize";
  if (action == ORDERD_PAYMENT_CAPTURE) return "capture";
  if (action == ORDERD_PAYMENT_VOID) return "void";
  return "refund";
}

}  // namespace

std::string reference_of(const std::string& payment_id) {
  std::uint64_t hash = 14695981039346656037u;  // FNV-1a
  for (const char c : payment_id) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  std::string out = "sim_";
  for (int shift = 60; shift >= 0; shift -= 4) out.push_back("0123456789abcdef"[hash >> shift & 15]);
  return out;
}

Answer BatchState::take(const Command& command, std::int64_t now_ms) {
  if (command.action == ORDERD_PAYMENT_QUERY) return {with_totals(query(command, now_ms), command.subject)};
  Answer answer;
  if (const std::string owner = payment_of(command.key); !owner.empty() && owner != command.subject)
    answer.outcome = Outcome::declined("KEY_OF_ANOTHER_PAYMENT", "this key was sent for another payment");
  else if (!owner.empty())
    answer = again(command, now_ms);
  else if (command.deadline_ms > 0 && command.deadline_ms < now_ms)
    answer.outcome = Outcome::retry(0, "OVERDUE", "the command came after its deadline and was not begun");
  else if (command.action != ORDERD_PAYMENT_VOID && command.amount.amount <= 0)
    answer.outcome = decline(command, kind_of(command.action), "INVALID_AMOUNT",
                             "the amount is " + std::to_string(command.amount.amount) + ", not above 0");
  else if (command.action == ORDERD_PAYMENT_AUTHORIZE)
    answer = authorize(command, now_ms);
  else if (command.action == ORDERD_PAYMENT_CAPTURE)
    answer.outcome = capture(command);
  else if (command.action == ORDERD_PAYMENT_VOID)
    answer.outcome = void_authorization(command);
  else
    answer.outcome = refund(command);
  answer.outcome = with_totals(std::move(answer.outcome), command.subject);
  return answer;
}

/// The same key once more: the stored outcome.
Answer BatchState::again(const Command& command, std::int64_t now_ms) {
  if (const auto effect = effects.find(command.key); effect != effects.end()) {
    const bool lost = effect->second.kind == "authorize" && payments[command.subject].token == "tok_timeout";
    return {Outcome::done(), 0, lost};
  }
  Call& call = calls.at(command.key);
  if (call.state == "done") return {Outcome::done()};
  if (call.state == "declined") return {Outcome::declined(call.code, call.message, call.soft)};
  if (call.kind == "authorize") return {settle_three_ds(call, now_ms)};
  return {Outcome::pending(0)};
}

Answer BatchState::authorize(const Command& command, std::int64_t now_ms) {
  const std::string token = token_of(command.secret_json);
  const auto [behaviour, number] = parse_token(token);
  const auto no = [&](const char* code, const char* message, bool soft = false) {
    return Answer{decline(command, "authorize", code, message, soft)};
  };
  if (const auto known = payments.find(command.subject); known != payments.end()) {
    const Payment& payment = known->second;
    if (payment.closed) return no("PAYMENT_CLOSED", "this payment was voided");
    if (payment.authorized > 0) {
      // One payment is authorized once, whatever the key.
      if (payment.authorized != command.amount.amount || payment.currency != command.amount.currency)
        return no("ALREADY_AUTHORIZED", "this payment is authorized already, for another amount");
      remember(command, "authorize", "done");
      return {Outcome::done()};
    }
  }
  switch (behaviour) {
    case Behaviour::declined:
      return no(ORDERD_CODE_PAYMENT_DECLINED, "the bank declined");
    case Behaviour::insufficient_funds:
      return no(ORDERD_CODE_INSUFFICIENT_FUNDS, "the account does not have enough money", true);
    case Behaviour::crash:
      return no("CRASH_NOT_ALLOWED", "tok_crash needs the setting allow_crash = yes of this plugin instance");
    case Behaviour::invalid:
      return no("INVALID_TOKEN", "this is no token of the simulated bank; tok_ok is one");
    default:
      break;
  }
  Payment& payment = touch(command.subject);
  payment.token = token;
  payment.currency = command.amount.currency;
  if (behaviour == Behaviour::flaky && payment.failures < number) {
    ++payment.failures;
    return {failed_for_now()};
  }
  if (behaviour == Behaviour::three_ds) {
    Call& call = remember(command, "authorize", "pending");
    call.expires_ms = now_ms + three_ds_expiry_ms;
    return {settle_three_ds(call, now_ms)};
  }
  move(payment, command.key, "authorize", command.amount.amount);
  payment.authorized = command.amount.amount;
  return {Outcome::done(), behaviour == Behaviour::slow ? number : 0, behaviour == Behaviour::timeout};
}

Outcome BatchState::settle_three_ds(Call& call, std::int64_t now_ms) {
  Payment& payment = payments[call.payment_id];
  if (payment.closed)
    return decline(call, "PAYMENT_CLOSED", "the payment was voided before the buyer agreed");
  if (call.approved == false) return decline(call, ORDERD_CODE_PAYMENT_DECLINED, "the buyer did not agree");
  if (call.approved == true) {
    if (payment.authorized == 0) {
      move(payment, call.key, "authorize", call.amount);
      payment.authorized = call.amount;
    }
    return finish(call);
  }
  if (call.expires_ms <= now_ms)
    return decline(call, ORDERD_CODE_PAYMENT_EXPIRED, "the buyer did not agree in time");
  Outcome outcome = Outcome::pending(call.expires_ms);
  outcome.next_action_type = "redirect";
  outcome.next_action_url = page_url + call.payment_id;
  return outcome;
}

Outcome BatchState::capture(const Command& command) {
  const auto known = payments.find(command.subject);
  if (known == payments.end() || known->second.authorized == 0)
    return decline(command, "capture", "NOT_AUTHORIZED", "nothing is authorized that could be captured");
  Payment& payment = known->second;
  if (payment.currency != command.amount.currency)
    return decline(command, "capture", "WRONG_CURRENCY", "the payment is in " + payment.currency);
  if (payment.token == "tok_capture_fails")
    return decline(command, "capture", "CAPTURE_DECLINED", "the bank declined the capture");
  const std::int64_t left = payment.authorized - payment.voided - payment.captured;
  if (command.amount.amount > left)
    return decline(command, "capture", "AMOUNT_TOO_LARGE",
                   "only " + std::to_string(left) + " " + payment.currency + " is left to capture");
  move(payment, command.key, "capture", command.amount.amount);
  payment.captured += command.amount.amount;
  return Outcome::done();
}

Outcome BatchState::void_authorization(const Command& command) {
  Payment& payment = touch(command.subject);
  const std::int64_t open = payment.authorized - payment.voided - payment.captured;
  payment.closed = true;
  if (open > 0) {
    move(payment, command.key, "void", open);
    payment.voided += open;
  } else {
    remember(command, "void", "done");
  }
  return Outcome::done();
}

Outcome BatchState::refund(const Command& command) {
  const auto known = payments.find(command.subject);
  const std::int64_t left = known == payments.end() ? 0 : known->second.captured - known->second.refunded;
  if (command.amount.amount > left)
    return decline(command, "refund", "AMOUNT_TOO_LARGE",
                   "only " + std::to_string(left) + " is captured and not refunded");
  Payment& payment = known->second;
  if (payment.currency != command.amount.currency)
    return decline(command, "refund", "WRONG_CURRENCY", "the payment is in " + payment.currency);
  const auto [behaviour, number] = parse_token(payment.token);
  if (behaviour == Behaviour::refund_fails && payment.failures < number) {
    ++touch(payment.id).failures;
    return failed_for_now();
  }
  if (behaviour == Behaviour::refund_pending) {
    remember(command, "refund", "pending");
    return Outcome::pending(0);
  }
  move(payment, command.key, "refund", command.amount.amount);
  payment.refunded += command.amount.amount;
  return Outcome::done();
}

Outcome BatchState::settle_refund(Call& call) {
  Payment& payment = payments[call.payment_id];
  if (call.amount > payment.captured - payment.refunded)
    return decline(call, "AMOUNT_TOO_LARGE", "other refunds left too little");
  move(payment, call.key, "refund", call.amount);
  payment.refunded += call.amount;
  return finish(call);
}

Outcome BatchState::finish(Call& call) {
  call.state = "done";
  call.changed = changed_ = true;
  return Outcome::done();
}

Outcome BatchState::query(const Command& command, std::int64_t now_ms) {
  if (payment_of(command.query_key) != command.subject) return Outcome::not_found();
  if (effects.count(command.query_key) > 0) return Outcome::found(Outcome::done());
  Call& call = calls.at(command.query_key);
  if (call.state == "done") return Outcome::found(Outcome::done());
  if (call.state == "declined") return Outcome::found(Outcome::declined(call.code, call.message, call.soft));
  return Outcome::found(call.kind == "authorize" ? settle_three_ds(call, now_ms) : settle_refund(call));
}

std::string BatchState::payment_of(const std::string& key) const {
  if (const auto effect = effects.find(key); effect != effects.end()) return effect->second.payment_id;
  if (const auto call = calls.find(key); call != calls.end()) return call->second.payment_id;
  return "";
}

/// The payment, to be changed.
Payment& BatchState::touch(const std::string& id) {
  Payment& payment = payments[id];
  payment.id = id;
  payment.changed = changed_ = true;
  return payment;
}

void BatchState::move(Payment& payment, const std::string& key, const char* kind, std::int64_t amount) {
  payment.changed = changed_ = true;
  Effect& effect = effects[key];
  effect = {key, payment.id, kind, amount};
  new_effects.push_back(&effect);
}

Call& BatchState::remember(const Command& command, const char* kind, const char* state) {
  changed_ = true;
  Call& call = calls[command.key];
  call = {command.key, command.subject, kind, state, "", "", false, command.amount.amount, 0, {}, true};
  return call;
}

Outcome BatchState::decline(const Command& command, const char* kind, std::string code, std::string message,
                            bool soft) {
  Call& call = remember(command, kind, "declined");
  call.soft = soft;
  return decline(call, std::move(code), std::move(message));
}

Outcome BatchState::decline(Call& call, std::string code, std::string message) {
  call.state = "declined";
  call.code = std::move(code);
  call.message = std::move(message);
  call.changed = changed_ = true;
  return Outcome::declined(call.code, call.message, call.soft);
}

Outcome BatchState::with_totals(Outcome outcome, const std::string& payment_id) const {
  orderd_totals totals{};
  if (const auto known = payments.find(payment_id); known != payments.end()) {
    const Payment& payment = known->second;
    totals = {payment.authorized, payment.captured, payment.refunded, payment.voided};
    outcome.provider_reference = reference_of(payment_id);
  }
  outcome.totals = totals;
  return outcome;
}

}  // namespace simulated
