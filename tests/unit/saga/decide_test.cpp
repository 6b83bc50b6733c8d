#include "saga/core/decide.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "support/saga_story.h"

using namespace orderd;
using namespace orderd::saga;
using namespace orderd::saga::test;

TEST_CASE("an order goes through authorize, reserve, capture and commit to CONFIRMED") {
  Story story;
  story.take(Begin{});
  CHECK(story.doing() == "payment.authorize");
  CHECK(story.run);
  story.answers(done({1000, 0, 0, 0}));
  CHECK(story.secret_settled);
  CHECK(story.doing() == "inventory.reserve");
  story.answers(of(OutcomeKind::done));
  CHECK(story.doing() == "payment.capture");
  story.answers(done({1000, 1000, 0, 0}));
  CHECK(story.doing() == "inventory.commit");
  story.answers(of(OutcomeKind::done));
  CHECK(story.saga.mode == Mode::finished);
  CHECK(story.told ==
        Told{"PAYMENT_AUTHORIZED/AUTHORIZED", "INVENTORY_RESERVED/AUTHORIZED", "ORDER_CONFIRMED/CAPTURED"});
}

TEST_CASE("a declined card rejects at once: there is nothing to undo") {
  Story story;
  story.take(Begin{});
  story.answers(of(OutcomeKind::declined, "INSUFFICIENT_FUNDS"));
  CHECK(story.told == Told{"ORDER_REJECTED/FAILED"});
  CHECK(story.saga.reason->code == "INSUFFICIENT_FUNDS");
  CHECK(story.saga.mode == Mode::finished);
  CHECK(story.secret_settled);
}

TEST_CASE("what is sold out brings the payment back before the order is rejected") {
  Story story;
  story.take(Begin{});
  story.answers(done({1000, 0, 0, 0}));
  story.answers(of(OutcomeKind::declined, "OUT_OF_STOCK"));
  CHECK(story.doing() == "payment.void");
  CHECK(story.saga.status == Status::cancelling);
  story.answers(done({1000, 0, 0, 1000}));
  CHECK(story.told ==
        Told{"PAYMENT_AUTHORIZED/AUTHORIZED", "ORDER_COMPENSATING/AUTHORIZED", "ORDER_REJECTED/VOIDED"});
}

TEST_CASE("a declined capture gives the goods back and lets the authorization go") {
  Story story;
  story.take(Begin{});
  story.answers(done({1000, 0, 0, 0}));
  story.answers(of(OutcomeKind::done));
  story.answers(of(OutcomeKind::declined, ""));
  CHECK(story.doing() == "inventory.release");
  story.answers(of(OutcomeKind::done));
  CHECK(story.doing() == "payment.void");
  story.answers(done({1000, 0, 0, 1000}));
  CHECK(story.saga.status == Status::rejected);
  CHECK(story.saga.reason->code == "PAYMENT_DECLINED");
}

TEST_CASE("a confirmed order that is cancelled is restocked and refunded, then CANCELLED") {
  Story story;
  story.take(Begin{});
  story.answers(done({1000, 0, 0, 0}));
  story.answers(of(OutcomeKind::done));
  story.answers(done({1000, 1000, 0, 0}));
  story.answers(of(OutcomeKind::done));
  story.cancel();
  CHECK(story.doing() == "inventory.release");
  story.answers(of(OutcomeKind::done));
  CHECK(story.doing() == "payment.refund");
  CHECK(story.saga.open->amount == 1000);
  story.answers(done({1000, 1000, 1000, 0}));
  CHECK(story.told.back() == "ORDER_CANCELLED/REFUNDED");
  CHECK(story.saga.reason->code == "CANCELLED_BY_REQUEST");
}

TEST_CASE("a cancellation waits for the step in flight and undoes its completed outcome") {
  Story story;
  story.take(Begin{});
  story.cancel();
  CHECK(story.doing() == "payment.authorize");
  CHECK_FALSE(story.run);
  story.answers(done({1000, 0, 0, 0}));
  CHECK(story.doing() == "payment.void");
  story.answers(done({1000, 0, 0, 1000}));
  CHECK(story.told == Told{"ORDER_CANCELLED/VOIDED"});
}

TEST_CASE("a cancellation before anything was done needs no plugin") {
  Story story;
  story.cancel();
  CHECK(story.told == Told{"ORDER_CANCELLED/NONE"});
  CHECK(story.saga.mode == Mode::finished);
}

TEST_CASE("a cancellation during failure compensation still ends REJECTED") {
  Story story;
  story.take(Begin{});
  story.answers(done({1000, 0, 0, 0}));
  story.answers(of(OutcomeKind::declined, "OUT_OF_STOCK"));
  story.cancel();
  story.answers(done({1000, 0, 0, 1000}));
  CHECK(story.saga.status == Status::rejected);
  CHECK(story.saga.reason->code == "OUT_OF_STOCK");
}

TEST_CASE("an order that costs nothing asks no payment provider") {
  Story story(0);
  story.take(Begin{});
  CHECK(story.secret_settled);
  CHECK(story.doing() == "inventory.reserve");
  story.answers(of(OutcomeKind::done));
  story.answers(of(OutcomeKind::done));
  CHECK(story.told ==
        Told{"INVENTORY_RESERVED/NOT_REQUIRED", "ORDER_CONFIRMED/NOT_REQUIRED"});
}

TEST_CASE("RETRY surely had no effect: a new generation of the key, after a wait") {
  Story story;
  story.take(Begin{});
  const std::string first = command_key(story.saga, *story.saga.open);
  story.answers(of(OutcomeKind::retry));
  CHECK_FALSE(story.run);
  CHECK(story.saga.open->next > story.now);
  story.take(Due{});
  CHECK_FALSE(story.run);  // not yet
  story.pass(Millis(60'000));
  story.take(Due{});
  CHECK(story.run);
  CHECK(command_key(story.saga, *story.saga.open) != first);
  CHECK(story.saga.open->sequence == 1);
}

TEST_CASE("a step that is retried for too long before the pivot is given up and undone") {
  Story story;
  story.take(Begin{});
  story.pass(Millis(601'000));
  story.answers(of(OutcomeKind::retry));
  CHECK(story.saga.status == Status::rejected);
}

TEST_CASE("an unknown outcome is asked for under the same key and never sent anew before it is known") {
  Story story;
  story.take(Begin{});
  const std::string key = command_key(story.saga, *story.saga.open);
  story.answers(of(OutcomeKind::unknown));
  story.take(Due{});
  CHECK(story.doing() == "query payment.authorize");
  CHECK(make_command(story.facts, story.saga).query_key == key);
  SECTION("found: the step's own outcome") {
    story.answers(answer(QueryAnswer::found, OutcomeKind::done, PaymentTotals{1000, 0, 0, 0}));
    CHECK(story.told.back() == "PAYMENT_AUTHORIZED/AUTHORIZED");
  }
  SECTION("not found before the deadline: the same key again, as the first call may still arrive") {
    story.answers(answer(QueryAnswer::not_found_final, OutcomeKind::done));
    CHECK(story.doing() == "payment.authorize");
    CHECK(command_key(story.saga, *story.saga.open) == key);
  }
  SECTION("the call's own late answer counts, the query's then is stale") {
    story.take(Answer{key, done({1000, 0, 0, 0}), ""});
    CHECK(story.told.back() == "PAYMENT_AUTHORIZED/AUTHORIZED");
    story.take(Answer{key + ".q2", answer(QueryAnswer::found, OutcomeKind::done), ""});
    CHECK(story.stale);
  }
  SECTION("cancelled meanwhile and not found before the deadline: it may still arrive, so it is voided") {
    story.cancel();
    story.answers(answer(QueryAnswer::not_found_final, OutcomeKind::done));
    CHECK(story.doing() == "payment.void");
    story.answers(of(OutcomeKind::done));
    CHECK(story.saga.status == Status::cancelled);
  }
  SECTION("not found before the deadline, cancelled while it waits to be sent again: voided, too") {
    story.answers(answer(QueryAnswer::not_found_final, OutcomeKind::done));
    story.cancel();
    CHECK(story.doing() == "payment.void");
  }
  SECTION("cancelled meanwhile and found: it is undone") {
    story.cancel();
    story.answers(answer(QueryAnswer::found, OutcomeKind::done, PaymentTotals{1000, 0, 0, 0}));
    CHECK(story.doing() == "payment.void");
  }
}

TEST_CASE("not found is the last word only of what was asked after the call's deadline") {
  Story story;
  story.take(Begin{});
  const std::string key = story.key();
  const Outcome not_found = answer(QueryAnswer::not_found_final, OutcomeKind::done);
  SECTION("asked before it, answered after it: the call may have arrived between") {
    story.answers(of(OutcomeKind::unknown));
    story.take(Due{});
    story.pass(Millis(60'000));
    SECTION("forward: the same key again") {
      story.answers(not_found);
      CHECK(story.key() == key);
    }
    SECTION("backward: undone in any case") {
      story.cancel();
      story.answers(not_found);
      CHECK(story.doing() == "payment.void");
    }
  }
  SECTION("asked after it") {
    story.pass(Millis(60'000));
    story.answers(of(OutcomeKind::unknown));
    story.take(Due{});
    SECTION("forward: a new generation") {
      story.answers(not_found);
      CHECK(story.key() != key);
    }
    SECTION("backward: nothing happened, nothing is undone") {
      story.cancel();
      story.answers(not_found);
      CHECK(story.saga.status == Status::cancelled);
    }
  }
}

TEST_CASE("a call that never gets through is tried again with growing waits, and given up in the end") {
  Story story;
  story.take(Begin{});
  story.answers(of(OutcomeKind::unknown));
  int sends = 1;
  for (int i = 0; i < 10'000 && story.saga.mode != Mode::finished; ++i) {
    story.pass(Millis(100));
    story.take(Due{});
    if (!story.run) continue;
    ++sends;
    story.answers(story.saga.open->query ? answer(QueryAnswer::not_found_final, OutcomeKind::done)
                                         : of(OutcomeKind::unknown));
  }
  CHECK(story.saga.mode == Mode::finished);
  CHECK(story.saga.status == Status::rejected);
  CHECK(sends < 150);
}

TEST_CASE("a plugin that cannot be asked leaves an unknown outcome to a person") {
  Story story;
  story.slots["payment"].can_query = false;
  story.take(Begin{});
  story.answers(of(OutcomeKind::unknown));
  REQUIRE(story.saga.stuck);
  CHECK(story.saga.stuck->code == "OUTCOME_UNKNOWN");
  story.pass(Millis(1'000'000));
  story.take(Due{});
  CHECK_FALSE(story.run);
}

TEST_CASE("a new owner asks what became of an external call, and repeats a transactional one") {
  Story story;
  story.take(Begin{});
  story.take(TakenOver{});
  CHECK(story.run);
  CHECK(story.doing() == "query payment.authorize");
  story.answers(answer(QueryAnswer::found, OutcomeKind::done, PaymentTotals{1000, 0, 0, 0}));
  story.take(TakenOver{});
  CHECK(story.doing() == "inventory.reserve");
  CHECK(story.run);
}

TEST_CASE("after the pivot nothing is declined any more: a person is asked") {
  Story story;
  story.take(Begin{});
  story.answers(done({1000, 0, 0, 0}));
  story.answers(of(OutcomeKind::done));
  story.answers(done({1000, 1000, 0, 0}));
  story.answers(of(OutcomeKind::declined, "RESERVATION_CLOSED"));
  CHECK(story.saga.stuck);
  CHECK(story.saga.mode == Mode::forward);
}

TEST_CASE("a pending payment tells the buyer where to go, and its end is asked for") {
  Story story;
  story.take(Begin{});
  Outcome pending = of(OutcomeKind::pending);
  pending.next_action = NextAction{"redirect", "https://bank.example/3ds"};
  story.answers(pending);
  CHECK(story.saga.payment.status == PaymentStatus::action_required);
  CHECK(story.saga.payment.next_action_url == "https://bank.example/3ds");
  story.pass(Millis(60'000));
  story.take(Due{});
  CHECK(story.doing() == "query payment.authorize");
  story.answers(answer(QueryAnswer::found, OutcomeKind::done, PaymentTotals{1000, 0, 0, 0}));
  CHECK(story.saga.payment.next_action_url.empty());
  CHECK(story.told.back() == "PAYMENT_AUTHORIZED/AUTHORIZED");
}

TEST_CASE("a cancellation while the payment is pending voids it in any case") {
  Story story;
  story.take(Begin{});
  story.answers(of(OutcomeKind::pending));
  story.cancel();
  CHECK(story.doing() == "payment.void");
}

TEST_CASE("answers to nothing that is open change nothing") {
  Story story;
  story.take(Begin{});
  const Saga before = story.saga;
  story.take(Answer{"some.other.key", done({1000, 0, 0, 0}), ""});
  CHECK(story.stale);
  CHECK(story.saga == before);
}

TEST_CASE("totals that make no sense are not believed") {
  Story story;
  story.take(Begin{});
  story.answers(done({1000, 2000, 0, 0}));
  CHECK(story.saga.payment.captured == 0);
}

TEST_CASE("a saga's state goes to JSON and back unchanged") {
  Story story;
  story.take(Begin{});
  Outcome pending = of(OutcomeKind::pending);
  pending.next_action = NextAction{"redirect", "https://bank.example/\"q\""};
  pending.expires = story.now + Millis(5000);
  pending.state = StateBlob{3, std::string("\0\1\xff", 3)};
  pending.provider_reference = "ref-1";
  story.answers(pending);
  story.saga.reason = Reason{"X", "a \"reason\""};
  const auto back = from_json(to_json(story.saga));
  REQUIRE(back);
  CHECK(*back == story.saga);
}

TEST_CASE("a saga file with a mistake is refused with file, place and what was expected") {
  const auto refused = [](const std::string& text) -> std::string {
    try {
      parse_definition(text, "x.json");
    } catch (const DefinitionError& error) { return error.what(); }
    return "accepted";
  };
  const std::string step = R"({"name":"a","slot":"s","action":"s.do","status":"CONFIRMED")";
  CHECK(refused("{") != "accepted");
  CHECK(refused(R"({"name":"x","steps":[]})").find("1 to 32 steps") != std::string::npos);
  CHECK(refused(R"({"name":"x","steps":[)" + step + R"(,"timout_ms":5}]})") ==
        "saga file x.json: steps[0].timout_ms is not a known key");
  CHECK(refused(R"({"name":"x","steps":[)" + step + R"(,"timeout_ms":0}]})").find("milliseconds from 1") !=
        std::string::npos);
  CHECK(refused(R"({"name":"x","steps":[{"name":"a","slot":"s","action":"s.do"}]})").find("CONFIRMED") !=
        std::string::npos);
  CHECK(refused(R"({"name":"x","steps":[)" + step + "}," + step + "}]}").find("two steps named a") !=
        std::string::npos);
  CHECK(refused(R"({"name":"x","steps":[)" + step + "}]}") == "accepted");
}
