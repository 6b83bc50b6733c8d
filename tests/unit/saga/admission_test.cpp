#include "saga/admission/admission.h"

#include <catch2/catch.hpp>

using namespace orderd;
using namespace orderd::saga;

namespace {

constexpr Time start{Millis(1'800'000'000'000)};

void fail(CircuitBreaker& breaker, int orders, Time now) {
  for (int i = 0; i < orders; ++i) breaker.answered(Uuid::v7(), false, now, now);
}

}  // namespace

TEST_CASE("one order that fails again and again does not open the breaker, five different ones do") {
  CircuitBreaker breaker;
  const Uuid order = Uuid::v7();
  for (int i = 0; i < 100; ++i) breaker.answered(order, false, start, start);
  CHECK(breaker.admit(start));
  fail(breaker, 4, start);
  CHECK_FALSE(breaker.admit(start));
  CHECK(breaker.state() == CircuitBreaker::State::open);
}

TEST_CASE("a success between failures keeps the breaker closed") {
  CircuitBreaker breaker;
  for (int i = 0; i < 10; ++i) {
    fail(breaker, 4, start);
    breaker.answered(Uuid::v7(), true, start, start);
  }
  CHECK(breaker.state() == CircuitBreaker::State::closed);
}

TEST_CASE("failures in a row within a second of a success are chance, not an outage") {
  CircuitBreaker breaker;
  breaker.answered(Uuid::v7(), true, start, start);
  fail(breaker, 50, start + Millis(999));
  CHECK(breaker.state() == CircuitBreaker::State::closed);
  fail(breaker, 1, start + Millis(1000));
  CHECK(breaker.state() == CircuitBreaker::State::open);
}

TEST_CASE("failures of calls that went out before the last success do not open the breaker") {
  CircuitBreaker breaker;
  breaker.answered(Uuid::v7(), true, start, start + Millis(50));
  for (int i = 0; i < 100; ++i) breaker.answered(Uuid::v7(), false, start, start + Millis(2000));
  CHECK(breaker.state() == CircuitBreaker::State::closed);
  for (int i = 0; i < 5; ++i) breaker.answered(Uuid::v7(), false, start + Millis(60), start + Millis(2060));
  CHECK(breaker.state() == CircuitBreaker::State::open);
}

TEST_CASE("an open breaker lets one probe through after a wait that doubles while probes fail") {
  CircuitBreaker breaker;
  fail(breaker, 5, start);
  CHECK_FALSE(breaker.admit(start + Millis(999)));
  CHECK(breaker.admit(start + Millis(1000)));
  CHECK_FALSE(breaker.admit(start + Millis(1000)));
  breaker.answered(Uuid::v7(), false, start + Millis(1100), start + Millis(1100));
  CHECK_FALSE(breaker.admit(start + Millis(3099)));
  CHECK(breaker.admit(start + Millis(3100)));
}

TEST_CASE("a probe that is never answered is followed by another") {
  CircuitBreaker breaker;
  fail(breaker, 5, start);
  REQUIRE(breaker.admit(start + Millis(1000)));
  CHECK(breaker.admit(start + Millis(31'001)));
}

TEST_CASE("after a probe that got through calls resume gradually until all go") {
  CircuitBreaker breaker;
  fail(breaker, 5, start);
  Time now = start + Millis(1000);
  REQUIRE(breaker.admit(now));
  breaker.answered(Uuid::v7(), true, now, now);
  int admitted = 0;
  while (breaker.admit(now)) ++admitted;
  CHECK(admitted == 10);
  now += Millis(250);
  admitted = 0;
  while (breaker.admit(now)) ++admitted;
  CHECK(admitted == 20);
  for (int step = 0; step < 6; ++step) (void)breaker.admit(now += Millis(250));
  CHECK(breaker.state() == CircuitBreaker::State::closed);
}

TEST_CASE("calls resume at a quarter of what the provider answered in a usual second") {
  CircuitBreaker breaker;
  Time now = start;
  for (int second = 0; second < 10; ++second, now += Millis(1000))
    for (int i = 0; i < 400; ++i) breaker.answered(Uuid::v7(), true, now, now);
  fail(breaker, 5, now);
  now += Millis(1000);
  REQUIRE(breaker.admit(now));
  breaker.answered(Uuid::v7(), true, now, now);
  int admitted = 0;
  while (breaker.admit(now)) ++admitted;
  CHECK(admitted > 20);  // of 25 in a quarter of a second
  CHECK(admitted <= 25);
}

namespace {

std::vector<Uuid> names(const std::vector<std::pair<Uuid, Permit>>& released) {
  std::vector<Uuid> out;
  for (const auto& [order, permit] : released) out.push_back(order);
  return out;
}

}  // namespace

TEST_CASE("what a person paused is held, and released when it is resumed") {
  Admission admission;
  const Uuid order = Uuid::v7();
  admission.pause({"captures"});
  CHECK(admission.admit("bank", "payment.authorize", Uuid::v7(), start));
  CHECK_FALSE(admission.admit("bank", "payment.capture", order, start));
  admission.hold("bank", "payment.capture", order, true);
  const auto capture = [](const Uuid&) { return std::string("payment.capture"); };
  CHECK(admission.release(start, capture).empty());
  CHECK(admission.status({"bank"}).front().parked == 1);
  admission.pause({});
  CHECK(names(admission.release(start, capture)) == std::vector{order});
  CHECK_FALSE(admission.holds_any());
  admission.pause({"plugin:bank"});
  CHECK_FALSE(admission.admit("bank", "payment.query", order, start));
  CHECK(admission.admit("other", "payment.query", order, start));
}

TEST_CASE("what there is no room for is held, and orders that have begun go first when there is") {
  Admission admission;
  std::map<Uuid, Permit> out;
  const Uuid fresh = Uuid::v7(), begun = Uuid::v7();
  for (Uuid id = Uuid::v7(); out.size() < 5000; id = Uuid::v7()) {
    auto permit = admission.admit("bank", "payment.authorize", id, start);
    if (!permit) break;
    out.emplace(id, std::move(*permit));
  }
  REQUIRE(out.size() < 5000);
  admission.hold("bank", "payment.authorize", fresh, false);
  admission.hold("bank", "payment.capture", begun, true);
  const auto action = [](const Uuid&) { return std::string("payment.authorize"); };
  CHECK(admission.release(start, action).empty());
  CHECK(admission.status({"bank"}).front().parked == 2);
  CHECK(admission.answered("bank", out.begin()->first, {true, start, Millis(2000)}).is_over);
  const auto first = admission.release(start, action);
  CHECK(names(first) == std::vector{begun});
  out.erase(std::next(out.begin()));
  CHECK(names(admission.release(start, action)) == std::vector{fresh});
  out.clear();
  CHECK(admission.concurrency_limit("bank")->out() == 1);  // of the one that was released
}

TEST_CASE("a call that is not let out takes no place") {
  Admission admission;
  Time now = start;
  for (int i = 0; i < 5; ++i) {
    const Uuid id = Uuid::v7();
    const auto permit = admission.admit("bank", "payment.authorize", id, now);
    REQUIRE(permit);
    admission.sent("bank", id, now);
    admission.answered("bank", id, {false, now += Millis(500), Millis(2000)});
  }
  CHECK(admission.shut("bank", "payment.authorize"));
  CHECK_FALSE(admission.admit("bank", "payment.authorize", Uuid::v7(), now));
  CHECK(admission.concurrency_limit("bank")->out() == 0);
}

TEST_CASE("an order that another host took over is neither held nor out") {
  Admission admission;
  const Uuid mine = Uuid::v7(), theirs = Uuid::v7();
  admission.pause({"plugin:bank"});
  admission.hold("bank", "payment.capture", theirs, false);
  admission.hold("bank", "payment.capture", mine, false);
  admission.forget(theirs);
  CHECK(admission.status({"bank"}).front().parked == 1);
  admission.pause({});
  CHECK(admission.waiting_for_room() == 1);
  const auto action = [](const Uuid&) { return std::string("payment.authorize"); };
  CHECK(names(admission.release(start, action)) == std::vector{mine});
}
