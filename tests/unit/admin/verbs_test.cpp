#include "admin/verbs.h"

#include <catch2/catch.hpp>

#include "support/saga_story.h"

using namespace orderd;
using namespace orderd::admin;
using saga::Verb;
using saga::test::of;
using saga::test::Story;

namespace {

Verb verb(Verb::Kind kind) { return {kind, "alice", "seen in the dashboard", "ch_1", 1000}; }

std::vector<std::string> effects(const Story& story, Verb::Kind kind) {
  std::vector<std::string> out;
  for (const Effect& effect : foresee(story.facts, story.saga, verb(kind), story.now).effects)
    out.push_back(effect.action + " " + std::to_string(effect.amount) + (effect.changes ? "" : "?") +
                  (effect.at_once ? "" : " then"));
  return out;
}

}  // namespace

TEST_CASE("A dry run tells what goes out at once and what follows", "[admin]") {
  Story story;
  story.come_to(4);
  story.cancel();
  story.answers(of(OutcomeKind::declined, "RELEASE_REFUSED"));
  const saga::Saga before = story.saga;
  CHECK(effects(story, Verb::Kind::retry) ==
        std::vector<std::string>{"inventory.release 0", "payment.refund 1000 then"});
  CHECK(effects(story, Verb::Kind::done) == std::vector<std::string>{"payment.refund 1000"});
  CHECK(foresee(story.facts, story.saga, verb(Verb::Kind::done), story.now).status == Status::cancelled);
  CHECK(story.saga == before);
}

TEST_CASE("A dry run does not guess what a query will find", "[admin]") {
  Story story;
  story.come_to(0);
  story.answers(of(OutcomeKind::unknown));
  story.due();
  story.pass(Millis(3'600'000));
  story.answers(saga::test::answer(QueryAnswer::not_found_yet, OutcomeKind::unknown));
  REQUIRE(story.saga.stuck);
  CHECK(effects(story, Verb::Kind::retry) == std::vector<std::string>{"payment.query 1000?"});
  CHECK(money_at_risk(story.saga) == 1000);
}

TEST_CASE("A verb about a command that is over is refused", "[admin]") {
  Story story;
  story.come_to(4);
  story.cancel();
  Verb late = verb(Verb::Kind::done);
  late.sequence = story.saga.open->sequence;
  story.answers(of(OutcomeKind::declined, "RELEASE_REFUSED"));
  CHECK(verb_problem(story.facts, story.saga, late).empty());
  story.take(late);
  story.answers(of(OutcomeKind::declined, "REFUND_REFUSED"));
  REQUIRE(story.saga.stuck);
  story.take(late);
  CHECK(story.stale);
  CHECK(story.saga.stuck);
}
