// What a person decided stands: the provider's totals are compared with it, and a difference moves no money.
#include "admin/verbs.h"
#include "reconcile/comparison.h"
#include "saga/core/payment.h"
#include "support/saga_story.h"

using namespace orderd;
using namespace orderd::saga;
using namespace orderd::saga::test;

namespace {

constexpr PaymentTotals captured{1000, 1000, 0, 0}, refunded{1000, 1000, 1000, 0};

Verb verb(Verb::Kind kind, std::optional<std::int64_t> amount = {}) {
  return {kind, "alice", "in cash", amount ? "re_1" : "", amount};
}

Outcome with(Outcome outcome, PaymentTotals totals) {
  outcome.totals = totals;
  return outcome;
}

/// An order that is being cancelled, and whose refund the provider refuses.
struct Stuck : Story {
  Stuck() {
    come_to(4);
    cancel();
    answers(of(OutcomeKind::done));
    answers(with(of(OutcomeKind::declined, "REFUND_BLOCKED"), captured));
    REQUIRE(saga.stuck);
  }
};

/// An order that was cancelled while its authorization was open, and whose refused void a person let be.
struct LetBe : Story {
  LetBe() {
    take(Begin{});
    answers(of(OutcomeKind::pending));
    cancel();
    answers(of(OutcomeKind::declined, "NOT_KNOWN"));  // the void
    REQUIRE(saga.stuck);
    take(verb(Verb::Kind::skip));
    REQUIRE(saga.status == Status::cancelled);
  }
};

/// Whatever a provider may say after a person's decision: nothing of it moves money.
const std::vector<std::pair<const char*, Notice>>& later_notices() {
  static const std::vector<std::pair<const char*, Notice>> all{
      {"the capture again", notice(done(captured))},
      {"the refund failed", notice(with(of(OutcomeKind::declined, "FAILED"), captured))},
      {"something changed", notice(of(OutcomeKind::unknown))},
      {"a dispute without amounts", notice(of(OutcomeKind::declined, "DISPUTE"))},
      {"the sweeper finds less",
       reconcile::notice_of(reconcile::Difference::reversed, {"o", "ref", captured})},
      {"the sweeper finds more", reconcile::notice_of(reconcile::Difference::behind, {"o", "ref", captured})},
  };
  return all;
}

/// Answers every question of the saga with these totals until it asks no more; counts calls that move money.
int calls_that_move_money(Story& story, const PaymentTotals& totals) {
  int moved = 0;
  for (int i = 0; i < 200 && story.saga.open && !story.saga.stuck; ++i) {
    if (!story.run) {
      story.due();
      continue;
    }
    moved += !story.saga.open->query;
    Outcome outcome = done(totals);
    if (story.saga.open->query) outcome.query_answer = QueryAnswer::found;
    story.answers(outcome);
  }
  return moved;
}

}  // namespace

TEST_CASE("a refund that a person skipped or marked done is never sent again, whatever the provider says") {
  for (const bool skipped : {true, false})
    for (const auto& [name, later] : later_notices())
      for (const bool stored : {false, true}) {
        INFO(name << (skipped ? ", skipped" : ", marked done") << (stored ? ", read again" : ""));
        Stuck story;
        story.take(skipped ? verb(Verb::Kind::skip) : verb(Verb::Kind::done, 1000));
        REQUIRE(story.saga.status == Status::cancelled);
        REQUIRE(story.saga.mode == Mode::finished);
        CHECK(story.saga.payment.status == PaymentStatus::refunded);
        if (stored) story.saga = *from_json(to_json(story.saga));
        story.take(later);
        CHECK(calls_that_move_money(story, captured) == 0);
        CHECK_FALSE(story.saga.stuck);
        CHECK(story.saga.mode == Mode::finished);
        CHECK(story.saga.status == Status::cancelled);
      }
}

TEST_CASE("the rest of a refund that was marked done in part is given back, to the cent, and nothing more") {
  Stuck story;
  story.take(verb(Verb::Kind::done, 400));
  REQUIRE(story.doing() == "payment.refund");
  REQUIRE(story.saga.open->amount == 600);
  SECTION("the provider refuses for now and is tried again") {
    story.answers(with(of(OutcomeKind::retry), captured));
    story.due();
    CHECK(story.saga.open->amount == 600);
    story.answers(done({1000, 1000, 600, 0}));
  }
  SECTION("the 400 went past the provider") { story.answers(done({1000, 1000, 600, 0})); }
  SECTION("the 400 were the provider's own") { story.answers(done(refunded)); }
  SECTION("the provider reports no totals") { story.answers(of(OutcomeKind::done)); }
  SECTION("a notice of the rest comes first") {
    const std::string key = story.key();
    story.take(notice(done({1000, 1000, 600, 0})));
    CHECK(story.key() == key);
    story.answers(done({1000, 1000, 600, 0}));
  }
  SECTION("the host dies, and the next one asks") {
    story.take(TakenOver{});
    REQUIRE(story.doing() == "query payment.refund");
    story.answers(with(answer(QueryAnswer::found, OutcomeKind::done), {1000, 1000, 600, 0}));
  }
  CHECK(story.doing() == "nothing");
  CHECK(story.saga.status == Status::cancelled);
  CHECK(captured_left(story.saga) == 0);
  CHECK(story.saga.payment.status == PaymentStatus::refunded);
  CHECK(story.saga.payment.refunded + story.saga.payment.settled == 1000);
  story.take(notice(done({1000, 1000, 600, 0})));
  CHECK(story.doing() == "nothing");
}

TEST_CASE("what a dry run promises is what then happens, for every verb and amount") {
  for (const Verb& given :
       {verb(Verb::Kind::retry), verb(Verb::Kind::skip), verb(Verb::Kind::done, 0), verb(Verb::Kind::done, 1),
        verb(Verb::Kind::done, 400), verb(Verb::Kind::done, 999), verb(Verb::Kind::done, 1000)})
    for (const int refusals : {0, 2}) {
      INFO(name(given.kind) << " " << given.amount.value_or(-1) << ", refused for now " << refusals);
      Stuck story;
      const auto promised = admin::foresee(story.facts, story.saga, given, story.now);
      std::vector<std::pair<std::string, std::int64_t>> wanted, seen;
      for (const auto& effect : promised.effects) wanted.emplace_back(effect.action, effect.amount);
      story.take(given);
      std::int64_t at_bank = 0;
      while (story.saga.open && !story.saga.stuck && seen.size() < 20) {
        for (int i = 0; i < refusals; ++i) {
          story.answers(with(of(OutcomeKind::retry), {1000, 1000, at_bank, 0}));
          story.due();
        }
        seen.emplace_back(story.saga.open->action, story.saga.open->amount);
        at_bank += story.saga.open->amount;
        story.answers(done({1000, 1000, at_bank, 0}));
      }
      CHECK(seen == wanted);
      CHECK(story.saga.status == promised.status);
      CHECK(at_bank + story.saga.payment.settled == 1000);
    }
}

TEST_CASE("a provider that shows what a person did not do asks for attention once, and is known then") {
  Stuck story;
  SECTION("given back in cash, and then by the provider as well") {
    story.take(verb(Verb::Kind::skip));
    story.take(notice(done(refunded)));
  }
  SECTION("marked done, and the provider says that it is not") {
    story.take(verb(Verb::Kind::done, 1000));
    story.take(notice(with(of(OutcomeKind::declined, "REFUND_BLOCKED"), captured)));
  }
  REQUIRE(story.saga.attention);
  CHECK(story.saga.attention->code == "PAYMENT_CONTRADICTED");
  CHECK(story.doing() == "nothing");
  story.take(verb(Verb::Kind::acknowledge));
  REQUIRE_FALSE(story.saga.attention);
  for (const auto& totals : {captured, refunded})
    if (totals.refunded == story.saga.payment.refunded) story.take(notice(done(totals)));
  CHECK_FALSE(story.saga.attention);
}

TEST_CASE("a notice that occurred before a person decided says nothing against it") {
  Stuck story;
  Notice older = notice(done(captured));
  older.occurred = story.now;
  story.pass(Millis(1000));
  story.take(verb(Verb::Kind::done, 1000));
  story.take(older);
  CHECK_FALSE(story.saga.attention);
}

TEST_CASE("money that comes after a person let an undo be waits for a person, with every verb") {
  LetBe story;
  story.take(notice(done({1000, 0, 0, 0})));
  CHECK_FALSE(story.run);
  REQUIRE(story.saga.stuck);
  CHECK(story.saga.stuck->code == "PAYMENT_CONTRADICTED");
  CHECK(story.doing() == "payment.void");
  CHECK(from_json(to_json(story.saga)) == story.saga);
  SECTION("retry lets it go") {
    story.take(verb(Verb::Kind::retry));
    REQUIRE(story.run);
    story.answers(done({1000, 0, 0, 1000}));
  }
  SECTION("skip leaves it to somebody else") { story.take(verb(Verb::Kind::skip)); }
  SECTION("mark-done") { story.take(verb(Verb::Kind::done, 1000)); }
  CHECK(story.saga.mode == Mode::finished);
  CHECK(story.saga.payment.status == PaymentStatus::voided);
}

TEST_CASE("what is withheld from the provider after a person's decision stays so, whatever is taken back") {
  LetBe story;
  story.take(notice(done(captured)));
  REQUIRE(story.saga.stuck);
  REQUIRE(story.doing() == "payment.refund");
  SECTION("without an amount") { story.take(notice(of(OutcomeKind::declined, "DISPUTE"))); }
  SECTION("in part") { story.take(notice(with(of(OutcomeKind::declined, "DISPUTE"), {1000, 600, 0, 0}))); }
  CHECK_FALSE(story.run);
  CHECK(story.saga.stuck);
}

TEST_CASE("a verb that is given twice counts once") {
  Stuck story;
  Verb part = verb(Verb::Kind::done, 400);
  part.sequence = story.saga.open->sequence;
  story.take(part);
  story.take(part);
  CHECK(story.stale);
  part.sequence = 0;
  story.take(part);
  CHECK(story.stale);
  CHECK(story.saga.open->amount == 600);
}

TEST_CASE("a late answer of the call that a person skipped changes nothing") {
  Stuck story;
  story.take(verb(Verb::Kind::retry));
  const std::string key = story.key();
  story.answers(with(of(OutcomeKind::declined, "REFUND_BLOCKED"), captured));
  story.take(verb(Verb::Kind::skip));
  story.take(Answer{key, done(refunded), ""});
  CHECK(story.stale);
  CHECK(story.saga.status == Status::cancelled);
}

TEST_CASE("a capture that was marked done stands against totals that lack it") {
  Story story;
  story.slots["payment"].can_query = false;
  story.come_to(2);
  story.answers(of(OutcomeKind::unknown));
  REQUIRE(story.saga.stuck);
  story.take(verb(Verb::Kind::done, 1000));
  story.answers(of(OutcomeKind::done));
  REQUIRE(story.saga.status == Status::confirmed);
  story.slots["payment"].can_query = true;
  story.take(notice(done({1000, 0, 0, 0})));
  CHECK(story.saga.payment.captured == 1000);
  story.take(notice(of(OutcomeKind::unknown)));
  CHECK(calls_that_move_money(story, {1000, 0, 0, 0}) == 0);
  CHECK(story.saga.status == Status::confirmed);
  CHECK(story.saga.payment.captured == 1000);
}

TEST_CASE("a row of an older host is read with nothing in its books") {
  Stuck story;
  std::string text = to_json(story.saga);
  CHECK(text.find("\"books\"") == std::string::npos);
  const auto had = text.find(",\"had\":0");
  REQUIRE(had != std::string::npos);
  text.erase(had, 8);
  const auto read = from_json(text);
  REQUIRE(read);
  CHECK_FALSE(read->open->had);
  story.saga = *read;
  story.take(verb(Verb::Kind::retry));
  story.answers(of(OutcomeKind::done));
  CHECK(story.saga.status == Status::cancelled);
  CHECK(story.saga.payment.refunded == 1000);
}
