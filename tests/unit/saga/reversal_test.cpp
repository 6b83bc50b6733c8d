// Money that was told of and is not there: reversals, news in the wrong order, self-contradicting successes.
#include "support/saga_story.h"

using namespace orderd;
using namespace orderd::saga;
using namespace orderd::saga::test;

TEST_CASE("news that were overtaken by a reversal ask for nothing that the provider does not hold") {
  Story story;
  story.come_to(2);
  Outcome failed = of(OutcomeKind::declined, "CAPTURE_FAILED_LATER");
  failed.totals = PaymentTotals{1000, 0, 0, 0};
  story.take(notice(failed, story.key()));
  story.answers(of(OutcomeKind::done));
  story.answers(done({1000, 0, 0, 1000}));
  REQUIRE(story.saga.status == Status::rejected);
  story.take(notice(done({1000, 1000, 0, 0})));  // sent before the reversal
  REQUIRE(story.doing() == "payment.refund");
  Outcome nothing = of(OutcomeKind::declined, "NOT_CAPTURED");
  SECTION("its totals say so: nothing is left to undo") {
    nothing.totals = PaymentTotals{1000, 0, 0, 1000};
    story.answers(nothing);
    CHECK_FALSE(story.saga.stuck);
    CHECK(story.saga.mode == Mode::finished);
    CHECK(story.saga.payment.status == PaymentStatus::voided);
  }
  SECTION("without totals nobody knows: a person is asked") {
    story.answers(nothing);
    CHECK(story.saga.stuck);
  }
  SECTION("its totals say that it holds the money: a person is asked") {
    nothing.totals = PaymentTotals{1000, 1000, 0, 0};
    story.answers(nothing);
    CHECK(story.saga.stuck);
  }
}

TEST_CASE("news that occurred before what was told last are too old to count") {
  Story story;
  story.come_to(4);
  Notice reversed = notice(of(OutcomeKind::declined, "CAPTURE_FAILED_LATER"));
  reversed.outcome.totals = PaymentTotals{1000, 0, 0, 0};
  reversed.occurred = story.now + Millis(2);
  Notice captured = notice(done({1000, 1000, 0, 0}));
  captured.occurred = story.now + Millis(1);
  story.take(reversed);
  REQUIRE(story.saga.attention);
  story.take(captured);
  CHECK(story.stale);
  CHECK(story.saga.payment.captured == 0);
}

TEST_CASE("a reversal that does not say how much asks for attention, too") {
  Story story;
  story.come_to(4);
  story.take(notice(of(OutcomeKind::declined, "CHARGEBACK")));
  CHECK(story.saga.attention);
}

TEST_CASE("a success whose totals lack it is not believed: it is asked for") {
  Story story;
  SECTION("a capture that was already taken back: the order fails") {
    story.come_to(2);
    story.answers(done({1000, 0, 0, 0}));
    CHECK(story.saga.status == Status::inventory_reserved);
    story.take(Due{});
    REQUIRE(story.doing() == "query payment.capture");
    Outcome failed = answer(QueryAnswer::found, OutcomeKind::declined, PaymentTotals{1000, 0, 0, 0});
    story.answers(failed);
    CHECK(story.doing() == "inventory.release");
  }
  SECTION("a refund whose totals lag: not a second refund") {
    story.come_to(4);
    story.cancel();
    story.answers(of(OutcomeKind::done));
    const std::string key = story.key();
    story.answers(done({1000, 1000, 0, 0}));
    story.take(Due{});
    REQUIRE(story.doing() == "query payment.refund");
    CHECK(story.key() == key);
    story.answers(answer(QueryAnswer::found, OutcomeKind::done, PaymentTotals{1000, 1000, 1000, 0}));
    CHECK(story.saga.status == Status::cancelled);
  }
  SECTION("a capture that was already taken back, and the late notice of its success: asked for again") {
    story.come_to(2);
    story.answers(done({1000, 0, 0, 0}));
    story.take(notice(done({1000, 1000, 0, 0}), story.key()));
    CHECK(story.saga.status == Status::inventory_reserved);
    REQUIRE(story.doing() == "query payment.capture");
    story.take(notice(done({1000, 1000, 0, 0}), command_key(story.saga, *story.saga.open)));
    CHECK(story.saga.status == Status::inventory_reserved);  // while it is asked, too
    SECTION("it is gone") {
      story.answers(answer(QueryAnswer::found, OutcomeKind::declined, PaymentTotals{1000, 0, 0, 0}));
      CHECK(story.doing() == "inventory.release");
    }
    SECTION("its totals had only lagged") {
      story.answers(answer(QueryAnswer::found, OutcomeKind::done, PaymentTotals{1000, 1000, 0, 0}));
      CHECK(story.doing() == "inventory.commit");
    }
  }
  SECTION("one that does not agree with its totals for half a minute waits for a person, or for news") {
    story.come_to(2);
    const Time begun = story.now;
    story.answers(done({1000, 0, 0, 0}));
    for (int i = 0; i < 200 && !story.saga.stuck; ++i) {
      story.due();
      story.answers(answer(QueryAnswer::found, OutcomeKind::done, PaymentTotals{1000, 0, 0, 0}));
    }
    REQUIRE(story.saga.stuck);
    CHECK(story.now - begun > Millis(30'000));
    CHECK(story.now - begun < Millis(90'000));
    Outcome failed = of(OutcomeKind::declined, "CAPTURE_FAILED_LATER");
    failed.totals = PaymentTotals{1000, 0, 0, 0};
    story.take(notice(failed, story.key()));
    CHECK_FALSE(story.saga.stuck);
    CHECK(story.doing() == "inventory.release");
  }
}
