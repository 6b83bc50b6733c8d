#pragma once
// One order's saga as a story: inputs go in, what it tells is collected. For tests of decide(), which need
// neither store nor plugins.
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "saga/core/decide.h"

namespace orderd::saga::test {

inline constexpr const char* default_saga = R"({"name":"default","steps":[
 {"name":"authorize","slot":"payment","action":"payment.authorize","undo":"payment.void",
  "status":"PAYMENT_AUTHORIZED"},
 {"name":"reserve","slot":"inventory","action":"inventory.reserve","undo":"inventory.release",
  "status":"INVENTORY_RESERVED"},
 {"name":"capture","slot":"payment","action":"payment.capture","pivot":true},
 {"name":"commit","slot":"inventory","action":"inventory.commit","status":"CONFIRMED"}]})";

inline Outcome done(PaymentTotals totals) {
  Outcome outcome;
  outcome.kind = OutcomeKind::done;
  outcome.totals = totals;
  return outcome;
}
inline Outcome of(OutcomeKind kind, std::string code = {}) {
  Outcome outcome;
  outcome.kind = kind;
  outcome.code = std::move(code);
  return outcome;
}
inline Outcome answer(QueryAnswer answer, OutcomeKind kind, std::optional<PaymentTotals> totals = {}) {
  Outcome outcome = of(kind);
  outcome.query_answer = answer;
  outcome.totals = totals;
  return outcome;
}

inline Notice notice(Outcome outcome, std::string key = {}, std::string action = {}) {
  return {std::move(key), std::move(action), std::move(outcome), "webhook evt_1"};
}

/// One order's history: inputs go in, events are collected.
struct Story {
  OrderBody body{"c-1", "EUR", 1000, {{1, "SKU-1", 2, 500}}, {}, "card", "{}"};
  Definition definition = parse_definition(default_saga, "default.json");
  std::map<std::string, SlotInfo> slots{{"payment", {"bank", false, true}},
                                        {"inventory", {"stock", true, false}}};
  Facts facts{body, definition, slots};
  const Uuid id = *Uuid::parse("01920000-0000-7000-8000-000000000001");
  Time now{Millis(id.unix_ms())};
  Saga saga;
  std::vector<std::string> told;
  bool run = false, stale = false, secret_settled = false;

  explicit Story(std::int64_t total = 1000) {
    body.total = total;
    saga = fresh_saga(id, 0, facts, now);
  }
  void take(const Input& input) {
    Decision decision = decide(facts, saga, input, now);
    saga = decision.saga;
    run = decision.ready;
    if (run) mark_sent(facts, saga, now);
    stale = decision.stale;
    secret_settled |= decision.secret_settled;
    for (const OrderHead& head : decision.events) {
      REQUIRE(head.version == static_cast<std::int32_t>(versions() + 1));
      told.push_back(std::string(name(head.type)) + "/" + std::string(name(head.payment.status)));
    }
  }
  std::size_t versions() const { return told.size() + 1 + cancels; }
  void answers(const Outcome& outcome) {
    REQUIRE(saga.open);
    take(Answer{saga.open->query ? query_key(saga, *saga.open) : command_key(saga, *saga.open), outcome,
                "digest"});
  }
  void cancel() {
    ++cancels;
    take(Cancel{saga.version + 1, now, {"CANCELLED_BY_REQUEST", "no longer wanted"}});
  }
  std::string doing() const {
    return saga.open ? (saga.open->query ? "query " : "") + saga.open->action : "nothing";
  }
  void pass(Millis time) { now += time; }
  std::string key() const { return command_key(saga, *saga.open); }
  void due() {
    const auto wake = wake_time(facts, saga);
    REQUIRE(wake);
    now = std::max(now, *wake);
    take(Due{});
  }
  /// Through the first steps: 1 authorized, 2 reserved, 3 captured, 4 confirmed.
  void come_to(int steps) {
    take(Begin{});
    if (steps > 0) answers(done({1000, 0, 0, 0}));
    if (steps > 1) answers(of(OutcomeKind::done));
    if (steps > 2) answers(done({1000, 1000, 0, 0}));
    if (steps > 3) answers(of(OutcomeKind::done));
  }
  int cancels = 0;
};

using Told = std::vector<std::string>;

}  // namespace orderd::saga::test
