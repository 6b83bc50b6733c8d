// Notices of providers and verbs of operators: late, doubled, about what is over.
#include "support/saga_story.h"

using namespace orderd;
using namespace orderd::saga;
using namespace orderd::saga::test;

namespace {

Verb verb(Verb::Kind kind) { return {kind, "alice", "seen in the dashboard", "", {}}; }

Outcome pending_redirect(Time expires) {
  Outcome outcome = of(OutcomeKind::pending);
  outcome.next_action = NextAction{"redirect", "https://bank.example/3ds"};
  outcome.expires = expires;
  return outcome;
}

}  // namespace

TEST_CASE("a webhook ends a payment that waits for its buyer, and the call's own later answer is stale") {
  Story story;
  story.take(Begin{});
  const std::string key = story.key();
  story.answers(pending_redirect(story.now + Millis(900'000)));
  story.take(notice(done({1000, 0, 0, 0}), key));
  CHECK(story.told.back() == "PAYMENT_AUTHORIZED/AUTHORIZED");
  CHECK(story.saga.payment.next_action_url.empty());
  story.take(Answer{key, done({1000, 0, 0, 0}), ""});
  CHECK(story.stale);
}

TEST_CASE("a webhook that overtakes the call's answer counts") {
  Story story;
  story.take(Begin{});
  story.take(notice(done({1000, 0, 0, 0}), story.key()));
  CHECK(story.doing() == "inventory.reserve");
}

TEST_CASE("the same webhook twice changes nothing the second time") {
  Story story;
  story.take(Begin{});
  const Notice paid = notice(done({1000, 0, 0, 0}), story.key());
  story.take(paid);
  const Saga before = story.saga;
  story.take(paid);
  CHECK(story.stale);
  CHECK(story.saga == before);
}

TEST_CASE("a webhook that was overtaken by a later one takes nothing back") {
  Story story;
  story.come_to(4);
  story.take(notice(done({1000, 0, 0, 0})));
  CHECK(story.stale);
  CHECK(story.saga.payment.captured == 1000);
}

TEST_CASE("a webhook that only says that something changed makes the host ask") {
  Story story;
  story.take(Begin{});
  story.answers(of(OutcomeKind::pending));
  story.take(notice(of(OutcomeKind::unknown), story.key()));
  CHECK(story.run);
  CHECK(story.doing() == "query payment.authorize");
}

TEST_CASE("a webhook resolves what nobody could tell") {
  Story story;
  story.slots["payment"].can_query = false;
  story.take(Begin{});
  story.answers(of(OutcomeKind::unknown));
  REQUIRE(story.saga.stuck);
  story.take(notice(done({1000, 0, 0, 0}), story.key()));
  CHECK_FALSE(story.saga.stuck);
  CHECK(story.doing() == "inventory.reserve");
}

TEST_CASE("a payment that its buyer never completes expires: undone in any case, then REJECTED") {
  Story story;
  story.take(Begin{});
  story.answers(pending_redirect(story.now + Millis(900'000)));
  for (int i = 0; i < 200 && story.saga.mode == Mode::forward; ++i) {
    story.due();
    if (story.run && story.saga.open->query) {
      Outcome still = pending_redirect(*story.saga.open->expires);
      still.query_answer = QueryAnswer::found;
      story.answers(still);
    }
  }
  CHECK(story.doing() == "payment.void");
  CHECK(story.saga.reason->code == "PAYMENT_EXPIRED");
  story.answers(of(OutcomeKind::done));
  CHECK(story.saga.status == Status::rejected);
}

TEST_CASE("a success after the end of an order is undone, and the order keeps its status") {
  Story story;
  story.take(Begin{});
  story.answers(of(OutcomeKind::pending));
  story.cancel();
  story.answers(of(OutcomeKind::done));  // the void of what had not come yet
  REQUIRE(story.saga.status == Status::cancelled);
  REQUIRE(story.saga.mode == Mode::finished);
  SECTION("authorized: voided") {
    story.take(notice(done({1000, 0, 0, 0})));
    CHECK(story.doing() == "payment.void");
    CHECK(story.saga.open->amount == 1000);
    story.answers(done({1000, 0, 0, 1000}));
  }
  SECTION("captured: refunded") {
    story.take(notice(done({1000, 1000, 0, 0})));
    CHECK(story.doing() == "payment.refund");
    story.answers(done({1000, 1000, 1000, 0}));
  }
  CHECK(story.saga.mode == Mode::finished);
  CHECK(story.told == Told{"ORDER_CANCELLED/NONE"});
}

TEST_CASE("a success that a rejected order hears of twice is undone once") {
  Story story;
  story.take(Begin{});
  story.answers(of(OutcomeKind::declined, "INSUFFICIENT_FUNDS"));
  const Notice late = notice(done({1000, 0, 0, 0}));
  story.take(late);
  REQUIRE(story.doing() == "payment.void");
  const std::string key = story.key();
  story.take(late);
  CHECK(story.stale);
  CHECK(story.key() == key);
}

TEST_CASE("a late word of a capture that was declined takes nothing back of what was undone since") {
  Story story;
  story.come_to(2);
  const std::string key = story.key();
  Outcome declined = of(OutcomeKind::declined, "CAPTURE_DECLINED");
  declined.totals = PaymentTotals{1000, 0, 0, 0};
  story.answers(declined);
  while (story.doing() != "payment.void") story.answers(of(OutcomeKind::done));
  story.answers(done({1000, 0, 0, 1000}));
  REQUIRE(story.saga.status == Status::rejected);
  story.take(notice(declined, key));
  CHECK(story.stale);
  CHECK(story.doing() == "nothing");
}

TEST_CASE("a capture that was told as done and fails later is taken back by its key") {
  Story story;
  story.come_to(2);
  const std::string key = story.key();
  story.answers(done({1000, 1000, 0, 0}));
  story.answers(of(OutcomeKind::done));
  Outcome reversed = of(OutcomeKind::declined, "CAPTURE_FAILED_LATER");
  reversed.totals = PaymentTotals{1000, 0, 0, 0};
  story.take(notice(reversed, key));
  CHECK(story.saga.status == Status::confirmed);
  REQUIRE(story.saga.attention);
  CHECK(story.saga.attention->code == "PAYMENT_REVERSED");
}

TEST_CASE("a capture that fails later by webhook asks for attention and keeps the status") {
  Story story;
  story.come_to(4);
  Outcome reversed = of(OutcomeKind::declined, "CHARGEBACK");
  reversed.totals = PaymentTotals{1000, 1000, 1000, 0};
  story.take(notice(reversed));
  CHECK(story.saga.status == Status::confirmed);
  REQUIRE(story.saga.attention);
  CHECK(story.saga.attention->code == "PAYMENT_REVERSED");
  SECTION("a later cancellation refunds nothing twice") {
    story.cancel();
    CHECK(story.doing() == "inventory.release");
    story.answers(of(OutcomeKind::done));
    CHECK(story.saga.status == Status::cancelled);
  }
  SECTION("a person has seen it") {
    story.take(verb(Verb::Kind::acknowledge));
    CHECK_FALSE(story.saga.attention);
  }
}

TEST_CASE("a capture that waits is not left by a cancellation: it is awaited, then refunded") {
  Story story;
  story.come_to(2);
  story.answers(of(OutcomeKind::pending));
  story.cancel();
  CHECK(story.doing() == "payment.capture");
  story.take(notice(done({1000, 1000, 0, 0}), story.key()));
  CHECK(story.doing() == "inventory.release");
  story.answers(of(OutcomeKind::done));
  CHECK(story.doing() == "payment.refund");
}

TEST_CASE("an order that does not come through in time is undone and REJECTED") {
  Story story;
  story.definition.total = Millis(60'000);
  story.come_to(1);
  story.answers(of(OutcomeKind::retry));
  for (int i = 0; i < 100 && story.saga.mode == Mode::forward; ++i) {
    story.due();
    if (story.run && story.saga.mode == Mode::forward) story.answers(of(OutcomeKind::retry));
  }
  CHECK(story.saga.reason->code == "SAGA_TIMEOUT");
  CHECK(story.doing() == "payment.void");
  CHECK(story.now == Time(Millis(story.id.unix_ms())) + Millis(60'000));
}

TEST_CASE(
    "a reservation with an end of its own is extended while the order waits, and before money is taken") {
  Story story;
  story.slots["inventory"] = {"warehouse", false, true, true};
  story.take(Begin{});
  story.answers(done({1000, 0, 0, 0}));
  Outcome held = of(OutcomeKind::done);
  held.expires = story.now + Millis(60'000);
  story.answers(held);
  REQUIRE(story.doing() == "inventory.extend");  // capture is the pivot
  SECTION("for good: then capture") {
    story.answers(of(OutcomeKind::done));
    CHECK(story.doing() == "payment.capture");
    CHECK_FALSE(story.saga.reservation_expires_at);
  }
  SECTION("again and again while capture waits") {
    story.answers(held);
    REQUIRE(story.doing() == "payment.capture");
    story.answers(of(OutcomeKind::pending));
    bool extended = false;
    for (int i = 0; i < 50 && !extended; ++i) {
      story.due();
      extended = story.doing() == "inventory.extend";
      if (story.run && !extended) {
        Outcome still = of(OutcomeKind::pending);
        still.query_answer = QueryAnswer::found;
        story.answers(still);
      }
    }
    REQUIRE(extended);
    CHECK(story.now < *story.saga.reservation_expires_at);
    held.expires = story.now + Millis(60'000);
    story.answers(held);
    CHECK(story.doing() == "payment.capture");
  }
  SECTION("lost: nothing is captured") {
    story.answers(of(OutcomeKind::declined, "RESERVATION_EXPIRED"));
    CHECK(story.saga.reason->code == "RESERVATION_EXPIRED");
    CHECK(story.doing() == "inventory.release");
  }
}

TEST_CASE("a key is not sent again after the provider forgot it: it is asked for first") {
  Story story;
  story.slots["payment"].key_window = Millis(5'000);
  story.take(Begin{});
  story.answers(of(OutcomeKind::unknown));
  story.take(Due{});
  story.answers(answer(QueryAnswer::not_found_final, OutcomeKind::done));  // before the deadline: same key
  story.pass(Millis(6'000));
  story.due();
  CHECK(story.doing() == "query payment.authorize");
}

TEST_CASE("a stuck refund is retried under a new key, marked done with what was seen, or skipped") {
  Story story;
  story.come_to(4);
  story.cancel();
  story.answers(of(OutcomeKind::done));
  story.answers(of(OutcomeKind::declined, "REFUND_BLOCKED"));
  REQUIRE(story.saga.stuck);
  const std::string key = story.key();
  SECTION("retry") {
    story.take(verb(Verb::Kind::retry));
    CHECK(story.run);
    CHECK(story.key() != key);
    story.answers(done({1000, 1000, 1000, 0}));
    CHECK(story.saga.status == Status::cancelled);
  }
  SECTION("done, in parts") {
    Verb by_hand = verb(Verb::Kind::done);
    CHECK(verb_problem(story.facts, story.saga, by_hand) == "the provider's reference is needed");
    by_hand.reference = "re_1";
    by_hand.amount = 1001;
    CHECK(verb_problem(story.facts, story.saga, by_hand).find("more than the 1000") != std::string::npos);
    by_hand.amount = 400;
    story.take(by_hand);
    CHECK(story.doing() == "payment.refund");
    CHECK(story.saga.open->amount == 600);
    story.answers(test::done({1000, 1000, 1000, 0}));
    CHECK(story.saga.status == Status::cancelled);
    CHECK(story.saga.payment.status == PaymentStatus::refunded);
  }
  SECTION("skip") {
    story.take(verb(Verb::Kind::skip));
    CHECK(story.saga.status == Status::cancelled);
  }
  CHECK(story.saga.attempts.back().action != "");
}

TEST_CASE(
    "a stuck step after the pivot goes on when it is done by hand, and is undone when the buyer cancels") {
  Story story;
  story.come_to(3);
  story.answers(of(OutcomeKind::declined, "RESERVATION_CLOSED"));
  REQUIRE(story.saga.stuck);
  SECTION("done") {
    story.take(verb(Verb::Kind::done));
    CHECK(story.saga.status == Status::confirmed);
  }
  SECTION("cancelled") {
    story.cancel();
    CHECK_FALSE(story.saga.stuck);
    CHECK(story.doing() == "inventory.release");
  }
}

TEST_CASE("an unknown call that a person retries is asked for, or sent again under its own key") {
  Story story;
  story.slots["payment"].can_query = false;
  story.take(Begin{});
  story.answers(of(OutcomeKind::unknown));
  const std::string key = story.key();
  story.take(verb(Verb::Kind::retry));
  CHECK(story.run);
  CHECK(story.key() == key);
}

TEST_CASE("verbs that make no sense say why and change nothing") {
  Story story;
  story.take(Begin{});
  const Saga before = story.saga;
  CHECK(verb_problem(story.facts, story.saga, verb(Verb::Kind::retry)).find("at this moment") !=
        std::string::npos);
  CHECK(verb_problem(story.facts, story.saga, verb(Verb::Kind::done)).find("not stuck") != std::string::npos);
  story.take(verb(Verb::Kind::skip));
  CHECK(story.stale);
  CHECK(story.saga == before);
}

TEST_CASE("the timeline keeps the first and the latest attempts") {
  Saga saga;
  for (std::uint32_t i = 0; i < 200; ++i) {
    Attempt attempt;
    attempt.sequence = i;
    note(saga.attempts, attempt);
  }
  CHECK(saga.attempts.size() == attempts_kept_max);
  CHECK(saga.attempts.front().sequence == 0);
  CHECK(saga.attempts.back().sequence == 199);
}
