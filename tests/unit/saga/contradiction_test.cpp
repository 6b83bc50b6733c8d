// Totals that go backwards: another account answers, or a success fails later.
#include "support/saga_story.h"

using namespace orderd;
using namespace orderd::saga;
using namespace orderd::saga::test;

namespace {

constexpr PaymentTotals nothing{0, 0, 0, 0}, captured{1000, 1000, 0, 0}, refunded{1000, 1000, 1000, 0};

Outcome with(Outcome outcome, PaymentTotals totals) {
  outcome.totals = totals;
  return outcome;
}

/// A cancelled order whose refund was told as done: the next word of it is that it failed.
struct Refunded : Story {
  std::string key_of_refund;
  Refunded() {
    come_to(4);
    cancel();
    answers(of(OutcomeKind::done));
    refunds();
    REQUIRE(saga.status == Status::cancelled);
  }
  void refunds() {
    REQUIRE(doing() == "payment.refund");
    key_of_refund = key();
    answers(done(refunded));
  }
  void fails() { take(notice(with(of(OutcomeKind::declined, "FAILED_LATER"), captured), key_of_refund)); }
};

void is_contradicted(const Story& story) {
  REQUIRE(story.saga.stuck);
  CHECK(story.saga.stuck->code == "PAYMENT_CONTRADICTED");
  CHECK(story.saga.status == Status::cancelling);
}

}  // namespace

TEST_CASE("a provider that answers for another account never ends an order whose capture stands") {
  Story story;
  story.come_to(4);
  const std::string reference = story.saga.reference;
  story.cancel();
  story.answers(of(OutcomeKind::done));
  Outcome foreign = with(of(OutcomeKind::declined, "AMOUNT_TOO_LARGE"), nothing);
  foreign.provider_reference = "ch_of_another";
  const int how = GENERATE(0, 1, 2, 3);
  INFO(how);
  if (how == 0) story.answers(foreign);
  if (how == 1) story.answers(done(nothing));
  if (how == 2) {
    story.answers(of(OutcomeKind::unknown));
    story.due();
    story.answers(with(answer(QueryAnswer::found, OutcomeKind::declined), nothing));
  }
  if (how == 3) {
    story.answers(with(of(OutcomeKind::retry), nothing));
    story.due();
    story.answers(foreign);
  }
  is_contradicted(story);
  CHECK(story.saga.payment.captured == 1000);
  CHECK(story.saga.reference == reference);
  // The right account again: a retry gives the money back.
  story.take(Verb{Verb::Kind::retry, "alice", "the key was wrong", "", {}});
  if (story.saga.open->query) {
    story.pass(Millis(60'000));
    story.answers(with(answer(QueryAnswer::not_found_final, OutcomeKind::unknown), captured));
  }
  if (!story.run) story.due();
  CHECK(story.saga.open->amount == 1000);
  story.answers(done(refunded));
  CHECK(story.saga.status == Status::cancelled);
}

TEST_CASE("an authorization that another account knows nothing of is not taken for let go") {
  Story story;
  story.come_to(1);
  story.cancel();
  while (story.doing() != "payment.void") story.answers(of(OutcomeKind::done));
  SECTION("a void that found nothing") { story.answers(done(nothing)); }
  SECTION("refused") { story.answers(with(of(OutcomeKind::declined, "NO_SUCH_PAYMENT"), nothing)); }
  is_contradicted(story);
  CHECK(story.saga.payment.authorized == 1000);
}

TEST_CASE("a capture that another account refuses does not reject the order over its authorization") {
  Story story;
  story.come_to(2);
  story.answers(with(of(OutcomeKind::declined, "NO_SUCH_PAYMENT"), nothing));
  REQUIRE(story.saga.stuck);
  CHECK(story.saga.stuck->code == "PAYMENT_CONTRADICTED");
  CHECK(story.saga.payment.authorized == 1000);
}

TEST_CASE("totals of another account about an order that is over ask for attention and take nothing back") {
  Story story;
  story.come_to(4);
  SECTION("a signed notice about the payment as a whole") {
    story.take(notice(with(of(OutcomeKind::declined, "REVERSED"), nothing)));
  }
  SECTION("asked because something has changed") {
    story.take(notice(of(OutcomeKind::unknown)));
    for (int i = 0; i < 200 && story.saga.open; ++i) {
      if (!story.run) story.due();
      story.answers(answer(QueryAnswer::found, OutcomeKind::done, nothing));
    }
  }
  REQUIRE(story.saga.attention);
  CHECK(story.saga.attention->code == "PAYMENT_CONTRADICTED");
  CHECK(story.saga.payment.captured == 1000);
  story.cancel();
  story.answers(of(OutcomeKind::done));
  CHECK(story.doing() == "payment.refund");
  CHECK(story.saga.open->amount == 1000);
}

TEST_CASE("an undo that waits for a person goes on when the provider takes the capture back by name") {
  Story story;
  story.come_to(2);
  const std::string capture = story.key();
  story.answers(done(captured));
  story.answers(of(OutcomeKind::done));
  story.cancel();
  story.answers(of(OutcomeKind::done));
  story.answers(with(of(OutcomeKind::declined, "NOT_CAPTURED"), nothing));
  is_contradicted(story);
  story.take(notice(with(of(OutcomeKind::declined, "CAPTURE_FAILED"), {1000, 0, 0, 0}), capture));
  CHECK_FALSE(story.saga.stuck);
  REQUIRE(story.doing() == "payment.void");
  story.answers(done({1000, 0, 0, 1000}));
  CHECK(story.saga.status == Status::cancelled);
}

TEST_CASE(
    "a refund that fails after its success is sent again once, asks for attention, and then for a person") {
  Refunded story;
  story.fails();
  REQUIRE(story.saga.attention);
  CHECK(story.saga.attention->code == "REFUND_FAILED");
  CHECK(story.run);
  story.refunds();
  CHECK(story.saga.mode == Mode::finished);
  story.fails();
  CHECK_FALSE(story.run);
  REQUIRE(story.saga.stuck);
  CHECK(story.saga.stuck->code == "REFUND_FAILED");
  CHECK(story.doing() == "payment.refund");
  CHECK(story.saga.open->amount == 1000);
  SECTION("a person has it tried: the next failure is the person's again") {
    story.take(Verb{Verb::Kind::retry, "alice", "the account is open again", "", {}});
    REQUIRE(story.run);
    story.refunds();
    story.fails();
    CHECK_FALSE(story.run);
    CHECK(story.saga.stuck);
  }
  SECTION("a person pays it in cash: the end") {
    story.take(Verb{Verb::Kind::skip, "alice", "in cash", "", {}});
    CHECK(story.saga.mode == Mode::finished);
    story.fails();
    CHECK(story.doing() == "nothing");
  }
}

TEST_CASE("a refund that fails later is found in all ways, and is never sent without end") {
  Refunded story;
  const auto tell = [&](int way) {
    if (way == 0) return story.fails();
    if (way == 1) return story.take(notice(with(of(OutcomeKind::declined, "REVERSED"), captured)));
    story.take(notice(of(OutcomeKind::unknown)));
    for (int i = 0; i < 200 && story.saga.open && story.saga.open->recheck; ++i) {
      if (!story.run) story.due();
      story.answers(answer(QueryAnswer::found, OutcomeKind::declined, captured));
    }
  };
  const int way = GENERATE(0, 1, 2);
  INFO(way);
  int refunds = 1;
  for (; refunds < 20 && !story.saga.stuck; ++refunds) {
    tell(way);
    if (!story.saga.stuck) story.refunds();
  }
  CHECK(refunds <= 3);
  CHECK(story.saga.stuck);
}

TEST_CASE("a dispute without amounts about a cancelled order makes the host ask, and shows it to a person") {
  Refunded story;
  story.take(notice(of(OutcomeKind::declined, "DISPUTE")));
  CHECK(story.saga.attention);
  CHECK(story.doing() == "query payment.refund");
}
