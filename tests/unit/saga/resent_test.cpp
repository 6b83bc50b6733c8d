// What an answer tells when its key was sent more than once: of its own send, and of no other.
#include "support/saga_story.h"

using namespace orderd;
using namespace orderd::saga;
using namespace orderd::saga::test;

namespace {

Verb retry() { return {Verb::Kind::retry, "alice", "seen in the dashboard", "", {}}; }

/// Sent, taken over by another host, not found before the deadline, and so sent again under its key.
void come_to_second_send(Story& story) {
  story.take(Begin{});
  story.take(TakenOver{});
  story.answers(answer(QueryAnswer::not_found_final, OutcomeKind::done));
  story.due();
  REQUIRE(story.doing() == "payment.authorize");
  REQUIRE(story.saga.open->sends == 2);
}

}  // namespace

TEST_CASE("a second send that surely came to nothing says nothing of the first: it is asked for") {
  Story story;
  come_to_second_send(story);
  const std::string key = story.key();
  SECTION("refused for now: no new key") { story.answers(of(OutcomeKind::retry, "BUSY")); }
  SECTION("declined: the order does not fail") { story.answers(of(OutcomeKind::declined, "RATE_LIMIT")); }
  CHECK(story.saga.status == Status::pending);
  story.due();
  CHECK(story.doing() == "query payment.authorize");
  CHECK(story.key() == key);
  story.answers(answer(QueryAnswer::found, OutcomeKind::done, PaymentTotals{1000, 0, 0, 0}));
  CHECK(story.told.back() == "PAYMENT_AUTHORIZED/AUTHORIZED");
}

TEST_CASE("a success of any send, and what a query found, are the last word") {
  Story story;
  come_to_second_send(story);
  SECTION("a success") {
    story.answers(done({1000, 0, 0, 0}));
    CHECK(story.doing() == "inventory.reserve");
  }
  SECTION("a failure that the provider stored for the key") {
    const std::string key = story.key();
    story.answers(of(OutcomeKind::retry));
    story.due();
    story.answers(answer(QueryAnswer::found, OutcomeKind::retry));
    story.due();
    CHECK(story.doing() == "payment.authorize");
    CHECK(story.key() != key);
    CHECK(story.saga.open->sends == 1);
  }
}

TEST_CASE("a second send that fails at a provider that cannot be asked waits for a person") {
  Story story;
  story.slots["payment"].can_query = false;
  story.take(Begin{});
  story.take(TakenOver{});
  REQUIRE(story.saga.open->sends == 2);
  story.answers(of(OutcomeKind::retry));
  REQUIRE(story.saga.stuck);
  SECTION("who answers for the sends before, once they cannot arrive any more: the next answer counts") {
    story.pass(Millis(60'000));
    story.take(retry());
    story.answers(of(OutcomeKind::declined, "INSUFFICIENT_FUNDS"));
    CHECK(story.saga.status == Status::rejected);
  }
  SECTION("who is too quick: the call of the host before may still arrive") {
    story.take(retry());
    story.answers(of(OutcomeKind::declined, "INSUFFICIENT_FUNDS"));
    CHECK(story.saga.stuck);
    CHECK(story.saga.status == Status::pending);
  }
  SECTION("a cancellation meanwhile does not leave it") {
    story.cancel();
    CHECK(story.saga.stuck);
    CHECK(story.saga.status == Status::cancelling);
    SECTION("a person's retry is then no step forward: whatever became of it is undone") {
      story.take(retry());
      CHECK(story.doing() == "payment.void");
    }
  }
}

TEST_CASE("a key that the provider may have forgotten by the time that a call arrives is not sent") {
  Story story;
  story.slots["payment"].key_window = Millis(30'000);
  story.take(Begin{});
  const std::string key = story.key();
  SECTION("asked for, if the provider can be asked") {
    story.answers(of(OutcomeKind::unknown));
    story.take(Due{});
    story.pass(Millis(25'000));  // the key lives 5 s more, a call may take 10 s
    story.answers(answer(QueryAnswer::not_found_final, OutcomeKind::done));
    story.due();
    CHECK(story.doing() == "query payment.authorize");
  }
  SECTION("else a person's: under a new key only after the old call's deadline") {
    story.slots["payment"].can_query = false;
    story.slots["payment"].key_window = Millis(5000);
    story.take(TakenOver{});
    REQUIRE(story.saga.stuck);
    story.take(retry());
    CHECK(story.saga.stuck);
    CHECK(story.key() == key);
    story.pass(Millis(60'000));
    story.take(retry());
    CHECK_FALSE(story.saga.stuck);
    CHECK(story.key() != key);
  }
}

TEST_CASE("a call that a new owner has not found out about yet may be there, whoever is impatient") {
  Story story;
  story.take(Begin{});
  const std::string key = story.key();
  story.pass(Millis(5000));
  story.take(TakenOver{});
  story.saga.open->began -= Millis(3'600'000);
  story.answers(answer(QueryAnswer::not_found_yet, OutcomeKind::unknown));
  REQUIRE(story.saga.stuck);
  SECTION("a person retries: it is asked for, not sent under a new key") {
    story.take(retry());
    CHECK(story.doing() == "query payment.authorize");
    CHECK(story.key() == key);
  }
  SECTION("the buyer cancels: it is not taken for one that surely has no effect") {
    story.cancel();
    CHECK(story.saga.stuck);
  }
}

TEST_CASE("how often a key was sent survives its way through the store") {
  Story story;
  come_to_second_send(story);
  CHECK(from_json(to_json(story.saga))->open->sends == 2);
}
