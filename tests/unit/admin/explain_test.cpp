#include "admin/explain.h"

#include <catch2/catch.hpp>

#include "saga/core/payment.h"
#include "support/saga_story.h"

using namespace orderd;
using namespace orderd::admin;
using saga::test::answer;
using saga::test::done;
using saga::test::of;
using saga::test::Story;

namespace {

Record record_of(const Story& story) {
  Record record;
  record.saga = story.saga;
  record.live = story.saga.mode != saga::Mode::finished;
  record.body = story.body;
  record.definition = std::make_shared<const saga::Definition>(story.definition);
  return record;
}

Explanation told(const Story& story, const std::string& held_back = "") {
  OrderHead head{story.id,          story.saga.version, EventType::order_created, story.now,
                 story.saga.status, story.saga.reason,  saga::shown(story.saga)};
  return explain(record_of(story), {head, held_back, {}}, story.slots, story.now);
}

void stick(Story& story) {
  story.come_to(4);
  story.cancel();
  story.answers(of(OutcomeKind::done));
  story.answers(of(OutcomeKind::declined, "REFUND_REFUSED"));
}

struct Row {
  const char* name;
  std::function<void(Story&)> play;
  const char* held_back;
  std::vector<const char*> says;
  bool has_time;
};

const std::vector<Row> rows{
    {"just asked",
     [](Story& s) { s.come_to(0); },
     "",
     {"on its way to CONFIRMED", "payment.authorize, step 1 of 4", "bank was asked", "(attempt 1)"},
     true},
    {"retrying",
     [](Story& s) { s.come_to(0), s.answers(of(OutcomeKind::retry)); },
     "",
     {"The last attempt had no effect", "Attempt 2 follows at", "it counts as declined"},
     true},
    {"held by the breaker",
     [](Story& s) { s.come_to(0), s.answers(of(OutcomeKind::retry)), s.pass(Millis(60'000)); },
     "the provider behind bank cannot be reached at the moment",
     {"held back because the provider behind bank", "No attempt is spent"},
     false},
    {"waiting for the buyer",
     [](Story& s) {
       s.come_to(0);
       Outcome pending = of(OutcomeKind::pending);
       pending.next_action = NextAction{"redirect", "https://bank.example"};
       pending.expires = s.now + Millis(600'000);
       s.answers(pending);
     },
     "",
     {"The buyer must still confirm", "After that the order is undone and rejected"},
     true},
    {"waiting for a transfer",
     [](Story& s) { s.come_to(0), s.answers(of(OutcomeKind::pending)); },
     "",
     {"The provider has not finished it yet", "webhook"},
     true},
    {"an outcome that nobody knows",
     [](Story& s) {
       s.come_to(0), s.answers(of(OutcomeKind::unknown)), s.due();
       s.answers(answer(QueryAnswer::not_found_yet, OutcomeKind::unknown));
     },
     "",
     {"Nobody knows yet whether payment.authorize", "under the same key", "a person is needed"},
     true},
    {"stuck in a refund",
     stick,
     "",
     {"is being cancelled (CANCELLED_BY_REQUEST", "It is stuck since", "REFUND_REFUSED",
      "10.00 EUR are at stake", "retry tries it again", "mark-done", "skip goes on"},
     false},
    {"cancelled and refunded",
     [](Story& s) {
       s.come_to(4), s.cancel();
       s.answers(of(OutcomeKind::done)), s.answers(done({1000, 1000, 1000, 0}));
     },
     "",
     {"was cancelled (CANCELLED_BY_REQUEST: no longer wanted)",
      "10.00 EUR were charged and have been given back"},
     false},
    {"cancelled, and given back in cash",
     [](Story& s) {
       stick(s);
       s.take(saga::Verb{saga::Verb::Kind::skip, "alice", "in cash", "", {}});
     },
     "",
     {"10.00 EUR were charged and have been given back", "A person answered for 10.00 EUR of that",
      "Nothing more happens"},
     false},
    {"cancelled before the capture",
     [](Story& s) {
       s.come_to(1), s.answers(of(OutcomeKind::declined, "OUT_OF_STOCK")),
           s.answers(done({1000, 0, 0, 1000}));
     },
     "",
     {"was rejected (OUT_OF_STOCK", "The authorization of 10.00 EUR was let go"},
     false},
    {"declined at once",
     [](Story& s) { s.come_to(0), s.answers(of(OutcomeKind::declined, "NO_FUNDS")); },
     "",
     {"was rejected (NO_FUNDS", "Nothing was charged"},
     false},
    {"confirmed",
     [](Story& s) { s.come_to(4); },
     "",
     {"is confirmed: every step is done", "10.00 EUR are charged"},
     false},
};

}  // namespace

TEST_CASE("An order explains why it is where it is, what is next, and when", "[admin]") {
  for (const Row& row : rows) {
    INFO(row.name);
    Story story;
    row.play(story);
    const Explanation explanation = told(story, row.held_back);
    INFO(explanation.text);
    for (const char* part : row.says) CHECK(explanation.text.find(part) != std::string::npos);
    CHECK(explanation.next_at.has_value() == row.has_time);
  }
}

TEST_CASE("A payment that expired is explained with its reason", "[admin]") {
  Story story;
  story.slots["payment"].can_query = false;
  story.come_to(0);
  Outcome pending = of(OutcomeKind::pending);
  pending.expires = story.now + Millis(1000);
  story.answers(pending);
  story.due();
  CHECK(told(story).text.find("PAYMENT_EXPIRED") != std::string::npos);
}

TEST_CASE("An order whose event is a dead letter says that it waits for its replay", "[admin]") {
  Record record;
  OrderHead head;
  head.id = *Uuid::parse("01920000-0000-7000-8000-000000000001");
  const auto told = explain(record, {head, "", "the payload is damaged"}, {}, Time{});
  CHECK(told.text.find("the payload is damaged") == std::string::npos);  // it may be an SQL text
  CHECK(told.text.find("replay it from the dead letters") != std::string::npos);
}

TEST_CASE("Money is told in the currency's own decimals", "[admin]") {
  CHECK(money_text(4188, "EUR") == "41.88 EUR");
  CHECK(money_text(5, "EUR") == "0.05 EUR");
  CHECK(money_text(1999, "JPY") == "1999 JPY");
  CHECK(money_text(-1, "KWD") == "-0.001 KWD");
}

TEST_CASE("An order that no saga has taken up for minutes is not said to be taken up within moments") {
  const Story story;
  Record record;
  record.body = story.body;
  OrderHead head{story.id, 1, EventType::order_created, story.now, Status::pending, {}, {}};
  const auto text = [&](Millis later) {
    return explain(record, {head, "", {}}, story.slots, story.now + later).text;
  };
  CHECK_THAT(text(Millis(1000)), Catch::Contains("takes it up within moments"));
  CHECK_THAT(text(Millis(300'000)), Catch::Contains("No saga has taken it up since") &&
                                        Catch::Contains("orderctl outbox") && !Catch::Contains("moments"));
}
