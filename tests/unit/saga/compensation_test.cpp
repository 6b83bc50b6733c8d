// An undo is chosen by what is held by now, not by what was held when the saga turned round.
#include "support/saga_story.h"

using namespace orderd;
using namespace orderd::saga;
using namespace orderd::saga::test;

namespace {

const PaymentTotals authorized{1000, 0, 0, 0}, captured{1000, 1000, 0, 0}, refunded{1000, 1000, 1000, 0},
    voided{1000, 0, 0, 1000};

Outcome with(Outcome outcome, PaymentTotals totals) {
  outcome.totals = totals;
  return outcome;
}

/// Authorized and reserved, then cancelled: the void is under way.
void come_to_void(Story& story) {
  story.come_to(1);
  story.cancel();
  story.answers(of(OutcomeKind::declined, "OUT_OF_STOCK"));
  REQUIRE(story.doing() == "payment.void");
}

}  // namespace

TEST_CASE("a void that finds the money captured becomes a refund") {
  Story story;
  come_to_void(story);
  SECTION("told with the refusal") {
    story.answers(with(of(OutcomeKind::declined, "ALREADY_CAPTURED"), captured));
  }
  SECTION("told while it waits to be sent again") {
    story.answers(of(OutcomeKind::retry));
    story.take(notice(done(captured)));
    story.due();
  }
  SECTION("told with a success that let nothing go") { story.answers(done(captured)); }
  CHECK_FALSE(story.saga.stuck);
  REQUIRE(story.doing() == "payment.refund");
  CHECK(story.saga.open->amount == 1000);
  story.answers(done(refunded));
  CHECK(story.saga.status == Status::cancelled);
}

TEST_CASE("a refund of a capture that came to nothing becomes a void") {
  Story story;
  story.come_to(4);
  story.cancel();
  story.answers(of(OutcomeKind::done));
  REQUIRE(story.doing() == "payment.refund");
  story.answers(with(of(OutcomeKind::declined, "NOT_CAPTURED"), authorized));
  REQUIRE(story.doing() == "payment.void");
  story.answers(done(voided));
  CHECK(story.saga.status == Status::cancelled);
}

TEST_CASE("an undo whose money is gone by the time that it is sent again is not sent") {
  Story story;
  story.come_to(4);
  story.cancel();
  story.answers(of(OutcomeKind::done));
  story.answers(of(OutcomeKind::retry));
  story.take(notice(done(refunded)));  // somebody gave it back in the provider's own pages
  story.due();
  CHECK_FALSE(story.run);
  CHECK(story.saga.status == Status::cancelled);
}

TEST_CASE("an undo that may be there is not chosen anew: its own key is asked for") {
  Story story;
  come_to_void(story);
  const std::string key = story.key();
  story.answers(of(OutcomeKind::unknown));
  story.take(notice(done(captured)));
  story.take(Due{});
  CHECK(story.doing() == "query payment.void");
  CHECK(story.key() == key);
}

TEST_CASE("a void that came before what it should let go of is followed by another") {
  Story story;
  story.take(Begin{});
  story.answers(of(OutcomeKind::pending));
  story.cancel();
  const std::string key = story.key();
  story.answers(done(authorized));  // the buyer was as quick
  story.take(Due{});
  REQUIRE(story.doing() == "query payment.void");
  story.answers(with(answer(QueryAnswer::found, OutcomeKind::done), authorized));
  REQUIRE(story.doing() == "payment.void");
  CHECK(story.key() != key);
  story.answers(done(voided));
  CHECK(story.saga.status == Status::cancelled);
}

TEST_CASE("a provider that contradicts itself about an undo ends with a person, not in a circle") {
  Story story;
  come_to_void(story);
  for (int i = 0; i < 500 && !story.saga.stuck; ++i) {
    story.pass(Millis(10'000));
    const bool to_void = story.doing() == "payment.void";
    story.answers(with(of(OutcomeKind::declined, "NO"), to_void ? captured : authorized));
  }
  CHECK(story.saga.stuck);
}

TEST_CASE("a capture whose money was given back by the time that it is known asks for attention") {
  Story story;
  story.come_to(2);
  story.answers(done(refunded));
  story.answers(of(OutcomeKind::done));
  CHECK(story.saga.status == Status::confirmed);
  REQUIRE(story.saga.attention);
  CHECK(story.saga.attention->code == "PAYMENT_REVERSED");
}
