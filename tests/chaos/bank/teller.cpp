#include "teller.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>

namespace bank {
namespace {

constexpr double late_share = 0.05, lost_share = 0.05, cut_share = 0.004, stored_failure_share = 0.02,
                 outage_share = 0.01, slow_share = 0.03, lag_share = 0.2, reversal_share = 0.002,
                 vague_share = 0.05, forgetful_share = 0.002, nonsense_share = 0.004;
constexpr std::int64_t late_max_ms = 1'500, slow_max_ms = 400, lag_max_ms = 1'200, unknown_for_ms = 600,
                       settle_max_ms = 2'500, page_payments = 500, echo_min_ms = 2'000, echo_max_ms = 12'000,
                       nonsense_kinds = 8;
constexpr int refusals_of_a_refund = 2;

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

void member(Writer& writer, const char* name, std::string_view value) {
  writer.Key(name);
  writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}

const char* outcome_of(State state) {
  switch (state) {
    case State::done:
    case State::reversed:
      return "DONE";
    case State::declined:
      return "DECLINED";
    case State::pending:
      return "PENDING";
    case State::failed:
    case State::never:
      return "RETRY";
  }
  return "UNKNOWN";
}

/// What a webhook says of it: a success that failed later is a failure.
const char* announced(State state) { return state == State::reversed ? "DECLINED" : outcome_of(state); }

void totals(Writer& writer, const Payment& payment) {
  writer.Key("totals");
  writer.StartArray();
  for (const auto one : {payment.authorized, payment.captured, payment.refunded, payment.voided})
    writer.Int64(one);
  writer.EndArray();
}

std::string simple(std::int64_t number, const char* outcome, const char* code, const Payment& payment) {
  rapidjson::StringBuffer out;
  Writer writer(out);
  writer.StartObject();
  writer.Key("id");
  writer.Int64(number);
  member(writer, "outcome", outcome);
  member(writer, "code", code);
  totals(writer, payment);
  writer.EndObject();
  return std::string(out.GetString(), out.GetSize()) + "\n";
}

}  // namespace

Teller::Teller(Ledger& ledger, Faults faults, Send send, Tell tell)
    : ledger_(ledger),
      faults_(faults),
      send_(std::move(send)),
      tell_(std::move(tell)),
      random_(faults.seed + static_cast<std::uint64_t>(ledger.payments().size())),
      events_(ledger.events()) {
  for (const Call& call : ledger_.pending()) waits_.emplace(now_ms() + some_ms(100, settle_max_ms), call.key);
}

bool Teller::chance(double share) {
  return !faults_.calm && std::uniform_real_distribution<>(0, 1)(random_) < share;
}

std::int64_t Teller::some_ms(std::int64_t from, std::int64_t to) {
  return std::uniform_int_distribution<std::int64_t>(from, to)(random_);
}

Delivery Teller::take(std::uint64_t connection, const Request& request) {
  const std::int64_t now = now_ms();
  if (request.op == "query") return {Delivery::How::now, 0, ask(request, now)};
  if (request.op == "list") return {Delivery::How::now, 0, list(request)};
  return execute(connection, request, now);
}

bool Teller::knows(const std::string& key, std::int64_t now) const {
  const Call* call = ledger_.find(key);
  if (!call) return false;
  const bool settled = call->state != State::pending && call->state != State::never;
  return !settled || faults_.key_window_ms == 0 || now - call->at_ms < faults_.key_window_ms;
}

Delivery Teller::execute(std::uint64_t connection, const Request& request, std::int64_t now) {
  using How = Delivery::How;
  if (knows(request.key, now)) {
    ledger_.note("absorbed", request.key);
    return {How::now, 0, answer(request.number, *ledger_.find(request.key), nullptr)};
  }
  if (late_keys_.count(request.key) > 0) {  // under way already: nobody knows yet
    ledger_.note("absorbed", request.key);
    return {How::never, 0, ""};
  }
  if (request.op == "void" && captures_wait(ledger_.payment(request.payment))) {
    ledger_.note("void too early", request.key);
    return {How::now, 0,
            simple(request.number, "RETRY", "CAPTURE_UNDER_WAY", ledger_.payment(request.payment))};
  }
  if (chance(outage_share)) {
    ledger_.note("outage", request.key);
    return {How::now, 0, simple(request.number, "RETRY", "UNAVAILABLE", ledger_.payment(request.payment))};
  }
  if (chance(late_share)) {
    ledger_.note("late", request.key);
    late_.emplace(std::max(now, request.deadline_ms) + some_ms(20, late_max_ms), Later{connection, request});
    late_keys_.insert(request.key);
    return {How::never, 0, ""};
  }
  if (chance(stored_failure_share)) {
    ledger_.note("stored failure", request.key);
    const Call failed{request.key,      request.payment,    request.op, State::failed, request.amount,
                      request.currency, "PROCESSING_ERROR", now,        request.build};
    return {How::now, 0, answer(request.number, ledger_.enter(failed, request.token), nullptr)};
  }
  const Call& call = carry_out(request, now);
  const std::string line = answer(request.number, call, nullptr);
  if (chance(cut_share)) {
    ledger_.note("connection cut", request.key);
    return {How::cut, 0, ""};
  }
  if (chance(lost_share)) {
    ledger_.note("lost reply", request.key);
    return {How::never, 0, ""};
  }
  if (chance(slow_share)) {
    ledger_.note("slow", request.key);
    return {How::later, now + some_ms(10, slow_max_ms), line};
  }
  return {How::now, 0, line};
}

/// A capture that waits for the other bank: until it is known, nothing can be voided.
bool Teller::captures_wait(const Payment& payment) const {
  return std::any_of(payment.pending.begin(), payment.pending.end(),
                     [&](const auto& key) { return ledger_.find(key)->kind == "capture"; });
}

const Call& Teller::carry_out(const Request& request, std::int64_t now) {
  if (chance(lag_share)) visible_[request.key] = now + some_ms(50, lag_max_ms);
  const Call& call = ledger_.enter(verdict(request, now), request.token);
  if (call.state == State::pending) waits_.emplace(now + some_ms(100, settle_max_ms), call.key);
  announce(call);
  return call;
}

Call Teller::verdict(const Request& request, std::int64_t now) {
  Call call{request.key, request.payment, request.op, State::done, request.amount, request.currency, "",
            now,         request.build};
  if (call.kind == "authorize") judge_authorize(call, request);
  if (call.kind == "capture") judge_capture(call);
  if (call.kind == "void") judge_void(call, now);
  if (call.kind == "refund") judge_refund(call);
  return call;
}

void Teller::judge_authorize(Call& call, const Request& request) {
  const auto decline = [&](const char* code) {
    call.state = State::declined;
    call.code = code;
  };
  if (request.token == "tok_declined") return decline("PAYMENT_DECLINED");
  if (request.token == "tok_insufficient_funds") return decline("INSUFFICIENT_FUNDS");
  if (request.token.rfind("tok_3ds", 0) == 0) call.state = State::pending;
}

void Teller::judge_capture(Call& call) {
  const Payment& payment = ledger_.payment(call.payment);
  const auto decline = [&](const char* code) {
    call.state = State::declined;
    call.code = code;
  };
  if (payment.authorized - payment.voided <= 0) return decline("NOT_AUTHORIZED");
  if (payment.token == "tok_capture_fails") return decline("CAPTURE_DECLINED");
  if (payment.token.rfind("tok_capture_pending", 0) == 0) call.state = State::pending;
}

void Teller::judge_void(Call& call, std::int64_t now) {
  const Payment& payment = ledger_.payment(call.payment);
  if (payment.captured > 0) {
    call.state = State::declined;
    call.code = "ALREADY_CAPTURED";
    return;
  }
  call.amount = payment.authorized - payment.voided;
  for (const std::string& key : std::vector<std::string>(payment.pending)) {
    Call closed = *ledger_.find(key);
    closed.state = State::declined;
    closed.code = "PAYMENT_CLOSED";
    closed.at_ms = now;
    announce(ledger_.enter(closed));
  }
}

void Teller::judge_refund(Call& call) {
  const Payment& payment = ledger_.payment(call.payment);
  if (payment.captured <= 0) {
    call.state = State::declined;
    call.code = "NOT_CAPTURED";
  } else if (payment.token == "tok_refund_pending") {
    call.state = State::pending;
  } else if (payment.token == "tok_refund_refused" && refused_[call.payment]++ < refusals_of_a_refund) {
    call.state = State::declined;
    call.code = "REFUND_REFUSED";
    // Long after a person decided, there is news of this payment again.
    echoes_.emplace(call.at_ms + some_ms(echo_min_ms, echo_max_ms), payment.capture_key);
  }
}

/// A pending call comes to its end: the buyer agreed or not, the other bank answered.
void Teller::settle(const std::string& key, std::int64_t now) {
  const Call* known = ledger_.find(key);
  if (!known || known->state != State::pending) return;
  Call call = *known;
  const std::string& token = ledger_.payment(call.payment).token;
  const bool refused = (call.kind == "authorize" && token == "tok_3ds_refused") ||
                       (call.kind == "capture" && token == "tok_capture_pending_fails");
  call.state = refused ? State::declined : State::done;
  call.code = refused ? "PAYMENT_DECLINED" : "";
  call.at_ms = now;
  announce(ledger_.enter(call));
}

/// Every change is told by webhook, as providers do.
void Teller::announce(const Call& call) {
  if (!faults_.webhooks || call.state == State::failed || call.state == State::never) return;
  const std::string id = "evt_" + std::to_string(++events_);
  rapidjson::StringBuffer out;
  Writer writer(out);
  writer.StartObject();
  member(writer, "id", id);
  member(writer, "type",
         call.kind + "." + (call.state == State::reversed ? "failed" : outcome_of(call.state)));
  member(writer, "payment", call.payment);
  member(writer, "key", call.key);
  writer.Key("at");
  writer.Int64(call.at_ms);
  // Some events only say that something has changed.
  member(writer, "outcome", chance(vague_share) ? "CHANGED" : announced(call.state));
  member(writer, "code", call.code);
  totals(writer, seen_now(ledger_.payment(call.payment), call.key));
  writer.EndObject();
  const Event event{id, std::string(out.GetString(), out.GetSize())};
  ledger_.event(event);
  tell_(event);
  if (call.state == State::done && call.kind == "capture" && chance(reversal_share)) {
    ledger_.note("reversal", call.key);
    Call back = call;
    back.state = State::reversed;
    ++back.at_ms;
    back.code = "CAPTURE_FAILED_LATER";
    announce(ledger_.enter(back));
  }
}

std::string Teller::ask(const Request& request, std::int64_t now) {
  const Payment& payment = ledger_.payment(request.payment);
  const Call* call = ledger_.find(request.key);
  const auto visible = visible_.find(request.key);
  const bool lags = visible != visible_.end() && now < visible->second && !faults_.calm;
  if (late_keys_.count(request.key) > 0 || (call && lags)) {
    ledger_.note("lagging query", request.key);
    return simple(request.number, "YET", "", payment);
  }
  if (call && call->state != State::never) return answer(request.number, *call, "FOUND");
  if (!call) {
    // It may still be on the wire. Only when it is sure to come to nothing is that said.
    const std::int64_t since = asked_.try_emplace(request.key, now).first->second;
    if (now - since < unknown_for_ms) return simple(request.number, "YET", "", payment);
    asked_.erase(request.key);
    ledger_.enter({request.key, request.payment, "query", State::never, 0, "", "NEVER_CAME", now});
  }
  return simple(request.number, "FINAL", "", payment);
}

/// What it says that a payment has: now and then it looks into the books of another account.
Payment Teller::seen_now(const Payment& payment, const std::string& key) {
  if (!chance(forgetful_share)) return payment;
  ledger_.note("totals of nothing", key);
  return {};
}

std::string Teller::answer(std::int64_t number, const Call& call, const char* found) {
  rapidjson::StringBuffer out;
  Writer writer(out);
  writer.StartObject();
  writer.Key("id");
  writer.Int64(number);
  if (found) member(writer, "found", found);
  member(writer, "outcome", outcome_of(call.state));
  member(writer, "kind", call.kind);
  member(writer, "code", call.code);
  totals(writer, seen_now(ledger_.payments().at(call.payment), call.key));
  if (chance(nonsense_share)) {
    ledger_.note("nonsense", call.key);
    writer.Key("nonsense");
    writer.Int64(some_ms(1, nonsense_kinds));
  }
  writer.EndObject();
  return std::string(out.GetString(), out.GetSize()) + "\n";
}

std::string Teller::list(const Request& request) const {
  rapidjson::StringBuffer out;
  Writer writer(out);
  writer.StartObject();
  writer.Key("id");
  writer.Int64(request.number);
  member(writer, "outcome", "DONE");
  writer.Key("payments");
  writer.StartArray();
  std::string last;
  std::int64_t count = 0;
  auto at = ledger_.payments().upper_bound(request.cursor);
  for (; at != ledger_.payments().end() && count < page_payments; ++at) {
    const auto& [id, payment] = *at;
    last = id;
    if (payment.changed_ms < request.since_ms || payment.authorized == 0) continue;
    ++count;
    writer.StartObject();
    member(writer, "subject", id);
    member(writer, "reference", "bank_" + id);
    writer.Key("authorized");
    writer.Int64(payment.authorized);
    writer.Key("captured");
    writer.Int64(payment.captured);
    writer.Key("refunded");
    writer.Int64(payment.refunded);
    writer.Key("voided");
    writer.Int64(payment.voided);
    writer.EndObject();
  }
  writer.EndArray();
  writer.Key("cursor");
  if (at == ledger_.payments().end())
    writer.Null();
  else
    writer.String(last.c_str());
  writer.EndObject();
  return std::string(out.GetString(), out.GetSize()) + "\n";
}

std::int64_t Teller::due(std::int64_t now) {
  while (!late_.empty() && late_.begin()->first <= now) {
    const Later later = late_.extract(late_.begin()).mapped();
    late_keys_.erase(later.request.key);
    if (knows(later.request.key, now)) continue;  // a query made sure meanwhile that it never happens
    send_(later.connection, answer(later.request.number, carry_out(later.request, now), nullptr));
  }
  while (!waits_.empty() && waits_.begin()->first <= now)
    settle(waits_.extract(waits_.begin()).mapped(), now);
  while (!echoes_.empty() && echoes_.begin()->first <= now)
    announce(*ledger_.find(echoes_.extract(echoes_.begin()).mapped()));
  std::int64_t next = 0;
  if (!late_.empty()) next = late_.begin()->first;
  for (const auto* queue : {&waits_, &echoes_})
    if (!queue->empty()) next = next == 0 ? queue->begin()->first : std::min(next, queue->begin()->first);
  return next;
}

}  // namespace bank
