// A provider that only says "something has changed" about an order that is over: it is asked what.
#include "support/saga_story.h"

using namespace orderd;
using namespace orderd::saga;
using namespace orderd::saga::test;

namespace {

/// A confirmed order whose provider hints at news.
struct Hinted : Story {
  Hinted() {
    come_to(4);
    REQUIRE(saga.mode == Mode::finished);
    told.clear();
    cancels = saga.version - 1;
    take(notice(of(OutcomeKind::unknown)));
  }
  /// The same answer whenever it asks, until it stops asking.
  void hears(const Outcome& outcome) {
    answers(outcome);
    for (int i = 0; i < 200 && saga.open && saga.open->recheck; ++i) {
      due();
      answers(outcome);
    }
  }
};

}  // namespace

TEST_CASE("news without content about a confirmed order make the host ask for its payment once more") {
  Hinted story;
  REQUIRE(story.run);
  CHECK(story.doing() == "query payment.capture");
  SECTION("nothing has changed: nothing is told, and the saga is over again") {
    story.hears(answer(QueryAnswer::found, OutcomeKind::done, PaymentTotals{1000, 1000, 0, 0}));
    CHECK(story.told.empty());
    CHECK_FALSE(story.saga.attention);
  }
  SECTION("the money was taken back: attention, once that is no mere lag") {
    const Time asked = story.now;
    story.hears(answer(QueryAnswer::found, OutcomeKind::done, PaymentTotals{1000, 0, 0, 0}));
    CHECK(story.now - asked > Millis(30'000));
    REQUIRE(story.saga.attention);
    CHECK(story.saga.attention->code == "PAYMENT_REVERSED");
  }
  SECTION("it was given back at the provider's: attention at once") {
    const Time asked = story.now;
    story.hears(answer(QueryAnswer::found, OutcomeKind::done, PaymentTotals{1000, 1000, 1000, 0}));
    CHECK(story.now == asked);
    CHECK(story.saga.attention);
    CHECK(story.saga.payment.status == PaymentStatus::refunded);
  }
  SECTION("nobody can tell: given up in time, and a person's seen attention stays seen") {
    story.hears(answer(QueryAnswer::not_found_yet, OutcomeKind::pending));
    CHECK_FALSE(story.saga.attention);
  }
  SECTION("the host dies meanwhile: the next one asks again") {
    story.take(TakenOver{});
    CHECK(story.run);
    CHECK_FALSE(story.saga.open->unknown);  // no effect of its own is at stake
    CHECK(story.doing() == "query payment.capture");
    story.hears(answer(QueryAnswer::found, OutcomeKind::done, PaymentTotals{1000, 1000, 0, 0}));
  }
  CHECK(story.saga.mode == Mode::finished);
  CHECK(story.saga.status == Status::confirmed);
  CHECK_FALSE(story.saga.stuck);
}

TEST_CASE("a cancellation does not wait for what is asked about an order that was over") {
  Hinted story;
  story.cancel();
  REQUIRE(story.doing() == "inventory.release");
  story.answers(of(OutcomeKind::done));
  CHECK(story.doing() == "payment.refund");
}

TEST_CASE("money that turns up at an ended order by news without content is given back") {
  Story story;
  story.come_to(1);
  story.cancel();
  while (story.saga.open) {
    const bool pays = story.saga.open->action == "payment.void";
    story.answers(pays ? done({1000, 0, 0, 1000}) : of(OutcomeKind::done));
  }
  REQUIRE(story.saga.status == Status::cancelled);
  const std::size_t versions = story.versions();
  story.take(notice(of(OutcomeKind::unknown)));
  REQUIRE(story.doing() == "query payment.void");
  story.answers(answer(QueryAnswer::found, OutcomeKind::done, PaymentTotals{2000, 0, 0, 1000}));
  REQUIRE(story.doing() == "payment.void");
  story.answers(done({2000, 0, 0, 2000}));
  CHECK(story.saga.mode == Mode::finished);
  CHECK(story.saga.status == Status::cancelled);
  CHECK(story.versions() == versions);
}

TEST_CASE("a command that never came is not what is asked for") {
  Story story;
  story.take(Begin{});
  story.answers(of(OutcomeKind::unknown));
  story.due();
  story.answers(answer(QueryAnswer::not_found_final, OutcomeKind::done));
  REQUIRE(story.saga.open->phase == CommandPhase::waiting);
  story.cancel();
  while (story.saga.open) story.answers(done({0, 0, 0, 0}));
  REQUIRE(story.saga.status == Status::cancelled);
  story.take(notice(of(OutcomeKind::unknown)));
  CHECK(story.doing() != "query payment.authorize");
}

TEST_CASE("an order whose only command never came has nothing to ask for") {
  Story story;
  story.take(Begin{});
  story.answers(of(OutcomeKind::unknown));
  story.pass(Millis(60'000));
  story.due();
  REQUIRE(story.doing() == "query payment.authorize");
  story.cancel();
  story.answers(answer(QueryAnswer::not_found_final, OutcomeKind::done));
  REQUIRE(story.saga.status == Status::cancelled);
  story.take(notice(of(OutcomeKind::unknown)));
  CHECK(story.stale);
  CHECK_FALSE(story.saga.open);
}

TEST_CASE("news without content about an order whose payment was never made mean nothing") {
  Story story(0);
  story.take(Begin{});
  while (story.saga.open) story.answers(of(OutcomeKind::done));
  REQUIRE(story.saga.mode == Mode::finished);
  story.take(notice(of(OutcomeKind::unknown)));
  CHECK(story.stale);
  CHECK_FALSE(story.saga.open);
}

TEST_CASE("news without content that come while a call is under way are looked into when the order is over") {
  Story story;
  story.come_to(2);
  REQUIRE(story.doing() == "payment.capture");
  story.take(notice(of(OutcomeKind::unknown)));
  CHECK_FALSE(story.stale);
  CHECK(from_json(to_json(story.saga)) == story.saga);
  story.take(notice(of(OutcomeKind::unknown)));
  CHECK(story.stale);  // once is enough
  story.answers(done({1000, 1000, 0, 0}));
  story.answers(of(OutcomeKind::done));
  CHECK(story.saga.status == Status::confirmed);
  REQUIRE(story.doing() == "query payment.capture");
  story.answers(answer(QueryAnswer::found, OutcomeKind::done, PaymentTotals{1000, 1000, 1000, 0}));
  CHECK(story.saga.attention);
  CHECK(story.saga.mode == Mode::finished);
}

TEST_CASE("a payment call that goes out after news without content knows of them") {
  Story story;
  story.come_to(1);
  REQUIRE(story.doing() == "inventory.reserve");
  story.take(notice(of(OutcomeKind::unknown)));
  CHECK_FALSE(story.stale);
  story.answers(of(OutcomeKind::done));
  REQUIRE(story.doing() == "payment.capture");
  story.answers(done({1000, 1000, 0, 0}));
  story.answers(of(OutcomeKind::done));
  CHECK(story.saga.mode == Mode::finished);
}

TEST_CASE("a late notice does not make good for the answer that news without content asked for") {
  Story story;
  story.come_to(2);
  story.answers(of(OutcomeKind::unknown));
  story.take(notice(of(OutcomeKind::unknown)));
  REQUIRE(story.doing() == "query payment.capture");
  story.take(notice(done({1000, 1000, 0, 0}), command_key(story.saga, *story.saga.open)));
  REQUIRE(story.doing() == "inventory.commit");
  story.answers(of(OutcomeKind::done));
  CHECK(story.doing() == "query payment.capture");
  SECTION("but the answer does") {
    story.answers(answer(QueryAnswer::found, OutcomeKind::done, PaymentTotals{1000, 1000, 0, 0}));
    CHECK(story.saga.mode == Mode::finished);
  }
  SECTION("and more such news meanwhile are looked into as well") {
    story.take(notice(of(OutcomeKind::unknown)));
    CHECK_FALSE(story.stale);
    story.answers(answer(QueryAnswer::found, OutcomeKind::done, PaymentTotals{1000, 1000, 0, 0}));
    CHECK(story.doing() == "query payment.capture");
    story.answers(answer(QueryAnswer::found, OutcomeKind::done, PaymentTotals{1000, 1000, 0, 0}));
    CHECK(story.saga.mode == Mode::finished);
  }
}
