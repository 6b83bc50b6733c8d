// Providers wish for times: a wait ends when attempts end, and nonsense is no time at all.
#include "support/saga_story.h"

using namespace orderd;
using namespace orderd::saga;
using namespace orderd::saga::test;

namespace {

constexpr Millis day{86'400'000};

const std::vector<Millis>& wishes() {
  static const std::vector<Millis> all{Millis(3'600'000), 30 * day, Millis::max(), Millis::min(), Millis(-1)};
  return all;
}

Outcome waits(Outcome outcome, Millis wish) {
  outcome.retry_after = wish;
  return outcome;
}

}  // namespace

TEST_CASE("a wait that a provider wishes for ends when the step's attempts end") {
  for (const Millis wish : wishes()) {
    INFO(wish.count());
    SECTION("a step before the pivot then counts as declined, and its money is let go " +
            std::to_string(wish.count())) {
      Story story;
      story.come_to(2);
      const Time end = story.now + story.definition.steps[2].retry.total;
      for (int i = 0; i < 100 && story.saga.mode == Mode::forward; ++i) {
        story.answers(waits(of(OutcomeKind::retry), wish));
        if (story.saga.mode == Mode::forward) story.due();
        REQUIRE(story.now <= end);
      }
      CHECK(story.saga.mode == Mode::failing);
    }
    SECTION("an undo then is a person's " + std::to_string(wish.count())) {
      Story story;
      story.come_to(4);
      story.cancel();
      story.answers(of(OutcomeKind::done));
      const Time end = story.now + story.definition.steps[0].retry.total;
      for (int i = 0; i < 100 && !story.saga.stuck; ++i) {
        story.answers(waits(of(OutcomeKind::retry), wish));
        if (!story.saga.stuck) story.due();
        REQUIRE(story.now <= end);
      }
      REQUIRE(story.saga.stuck);
      CHECK(story.saga.stuck->message == "payment.refund was tried for too long");
    }
    SECTION("a query that finds nothing yet then is a person's " + std::to_string(wish.count())) {
      Story story;
      story.come_to(0);
      const Time end = story.now + story.definition.steps[0].retry.total;
      story.answers(of(OutcomeKind::unknown));
      for (int i = 0; i < 100 && !story.saga.stuck; ++i) {
        if (!story.run) story.due();
        story.answers(waits(answer(QueryAnswer::not_found_yet, OutcomeKind::unknown), wish));
        REQUIRE(story.now <= end);
      }
      CHECK(story.saga.stuck);
    }
    SECTION("what is asked of an order that is over is given up " + std::to_string(wish.count())) {
      Story story;
      story.come_to(4);
      story.take(notice(of(OutcomeKind::unknown)));
      const Time end = story.now + story.definition.steps[0].retry.total;
      for (int i = 0; i < 100 && story.saga.open; ++i) {
        if (!story.run) story.due();
        story.answers(waits(answer(QueryAnswer::not_found_yet, OutcomeKind::unknown), wish));
        REQUIRE(story.now <= end);
      }
      CHECK(story.saga.mode == Mode::finished);
    }
    SECTION("what is pending is asked for all the same " + std::to_string(wish.count())) {
      Story story;
      story.come_to(0);
      story.answers(waits(of(OutcomeKind::pending), wish));
      const auto wake = wake_time(story.facts, story.saga);
      REQUIRE(wake);
      CHECK(*wake >= story.now);
      CHECK(*wake <= story.now + story.definition.steps[0].retry.total);
    }
  }
}

TEST_CASE("an extension that a warehouse puts off is decided when the reservation ends") {
  Story story;
  story.slots["inventory"] = {"warehouse", false, true, true};
  story.take(Begin{});
  story.answers(done({1000, 0, 0, 0}));
  Outcome held = of(OutcomeKind::done);
  held.expires = story.now + Millis(60'000);
  story.answers(held);
  REQUIRE(story.doing() == "inventory.extend");
  story.answers(waits(of(OutcomeKind::retry), 30 * day));
  const auto wake = wake_time(story.facts, story.saga);
  REQUIRE(wake);
  CHECK(*wake <= *held.expires);
}

TEST_CASE("an expiry that makes no sense is bounded, and one that is over ends the wait") {
  for (const Time wish : {Time::max(), Time::min(), Time(Millis(-1)), Time(Millis(1))}) {
    Story story;
    story.come_to(0);
    Outcome pending = of(OutcomeKind::pending);
    pending.expires = wish;
    story.answers(pending);
    CHECK(from_json(to_json(story.saga)) == story.saga);
    if (wish < story.now) {
      CHECK(story.saga.mode == Mode::failing);
    } else {
      REQUIRE(story.saga.open->expires);
      CHECK(*story.saga.open->expires < story.now + 500 * day);
    }
  }
}

TEST_CASE("a notice from a clock that is years ahead does not make all later ones old") {
  Story story;
  story.come_to(4);
  Notice ahead = notice(done({1000, 1000, 100, 0}));
  ahead.occurred = story.now + 4000 * day;
  story.take(ahead);
  story.pass(day);
  Notice next = notice(done({1000, 1000, 1000, 0}));
  next.occurred = story.now;
  story.take(next);
  CHECK(story.saga.payment.refunded == 1000);
}
