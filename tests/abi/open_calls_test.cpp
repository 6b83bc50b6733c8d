#include "plugin_host/calling/open_calls.h"

#include <catch2/catch.hpp>

#include "plugin_host/calling/translate.h"

namespace orderd::plugins {
namespace {

OpenCall with_deadline(std::int64_t ms) {
  OpenCall command;
  command.deadline = Time(Millis(ms));
  return command;
}

TEST_CASE("a ticket closes once, and its slot's next ticket is another") {
  OpenCalls tickets;
  const orderd_ticket first = tickets.open(with_deadline(1));
  CHECK(tickets.close(first));
  CHECK_FALSE(tickets.close(first));
  const orderd_ticket second = tickets.open(with_deadline(1));
  CHECK(second.slot == first.slot);
  CHECK(second.generation != first.generation);
  CHECK_FALSE(tickets.close(first));
  CHECK(tickets.close(second));
}

TEST_CASE("a ticket of one table fits no other") {
  OpenCalls one, other;
  const orderd_ticket ticket = one.open(with_deadline(1));
  (void)other.open(with_deadline(1));
  CHECK_FALSE(other.close(ticket));
  CHECK_FALSE(one.close({1u << 30, ticket.generation}));
  CHECK_FALSE(one.close({ticket.slot, 0}));
}

TEST_CASE("overdue tickets close in order of deadline, and those alone") {
  OpenCalls tickets;
  (void)tickets.open(with_deadline(30));
  (void)tickets.open(with_deadline(20));
  (void)tickets.open(with_deadline(10));
  CHECK(tickets.next_deadline() == Time(Millis(10)));
  const auto overdue = tickets.close_overdue(Time(Millis(20)));
  REQUIRE(overdue.size() == 2);
  CHECK(overdue[0].second.deadline == Time(Millis(10)));
  CHECK(tickets.size() == 1);
  CHECK(tickets.close_all().size() == 1);
}

TEST_CASE("an answer after the deadline is late once, any other to a closed ticket is wrong") {
  OpenCalls tickets;
  const orderd_ticket slow = tickets.open(with_deadline(10)), done = tickets.open(with_deadline(20));
  CHECK(tickets.close(done));
  CHECK(tickets.close_overdue(Time(Millis(30))).size() == 1);
  CHECK_FALSE(tickets.close(slow));
  CHECK(tickets.was_late(slow));
  CHECK_FALSE(tickets.was_late(slow));
  CHECK_FALSE(tickets.was_late(done));
  CHECK_FALSE(tickets.was_late({}));
  for (std::size_t i = 0; i <= OpenCalls::late_kept_max; ++i) (void)tickets.open(with_deadline(10));
  const orderd_ticket newest = tickets.open(with_deadline(10));
  CHECK(tickets.close_overdue(Time(Millis(10))).size() == OpenCalls::late_kept_max + 2);
  CHECK(tickets.was_late(newest));
}

TEST_CASE("a batch begins with those that are still open") {
  struct Item {
    orderd_ticket ticket;
    std::int64_t deadline;
  };
  std::vector<Item> items{{{}, 10}, {{}, 20}, {{}, 30}};
  OpenCalls tickets;
  tickets.open_all(items, [](const Item& item) { return with_deadline(item.deadline); });
  CHECK(tickets.close(items[1].ticket));
  tickets.begin_all(items, Time{});
  REQUIRE(items.size() == 2);
  CHECK(items[1].deadline == 30);
  for (const auto& [ticket, command] : tickets.close_all()) CHECK(command.begun);
  tickets.begin_all(items, Time{});
  CHECK(items.empty());
}

TEST_CASE("what is overdue does not begin with its batch, and counts as not begun") {
  struct Item {
    orderd_ticket ticket;
    std::int64_t deadline;
  };
  std::vector<Item> items{{{}, 10}, {{}, 20}};
  OpenCalls tickets;
  tickets.open_all(items, [](const Item& item) { return with_deadline(item.deadline); });
  tickets.begin_all(items, Time(Millis(10)));
  REQUIRE(items.size() == 1);
  CHECK(items[0].deadline == 20);
  const auto overdue = tickets.close_overdue(Time(Millis(10)));
  REQUIRE(overdue.size() == 1);
  CHECK_FALSE(overdue[0].second.begun);
}

orderd_outcome done() {
  orderd_outcome outcome;
  ORDERD_CLEAR(outcome);
  outcome.kind = ORDERD_DONE;
  return outcome;
}

/// Why an outcome is not taken, or "".
std::string problem(const orderd_outcome& given, bool is_query = false) {
  Outcome outcome;
  std::string why;
  const bool taken = read_outcome(&given, is_query, outcome, why);
  CHECK(taken == why.empty());
  CHECK((why.empty() || outcome.kind == OutcomeKind::unknown));
  return why;
}

TEST_CASE("a call is found by its key and order, each of several alike once") {
  OpenCalls calls;
  const Uuid ours = Uuid::v7(), theirs = Uuid::v7();
  const auto call = [](const Uuid& order) {
    OpenCall out = with_deadline(10);
    out.key = "pay-1.authorize.1.g1";
    out.order_id = order;
    return out;
  };
  (void)calls.open(call(theirs));
  (void)calls.open(call(ours));
  (void)calls.open(call(ours));
  for (int i = 0; i < 2; ++i) {
    const auto found = calls.find("pay-1.authorize.1.g1", ours);
    REQUIRE(found);
    CHECK(found->second.order_id == ours);
    CHECK(calls.close(found->first));
  }
  CHECK_FALSE(calls.find("pay-1.authorize.1.g1", ours));
  CHECK_FALSE(calls.find("pay-1.authorize.1.g2", theirs));
  CHECK(calls.close_overdue(Time(Millis(10))).size() == 1);
  CHECK_FALSE(calls.find("pay-1.authorize.1.g1", theirs));
}

TEST_CASE("what was taken back counts as not begun") {
  struct Item {
    orderd_ticket ticket{};
  };
  OpenCalls calls;
  std::vector<Item> items{{}, {}};
  calls.open_all(items, [](const Item&) { return with_deadline(10); });
  calls.begin_all(items, Time(Millis(5)));
  REQUIRE(items.size() == 2);
  calls.take_back(std::vector<Item>{items.front()});
  CHECK_FALSE(calls.close(items.front().ticket)->begun);
  CHECK(calls.close(items.back().ticket)->begun);
}

TEST_CASE("an outcome is judged field by field") {
  orderd_outcome given = done();
  CHECK(problem(given).empty());
  given.query_answer = ORDERD_FOUND;
  CHECK(problem(given, true).empty());
  CHECK(problem(given) == "query_answer is 1");

  given = done();
  given.totals = {100, 200, 0, 0};
  CHECK(problem(given).empty());  // not declared, not read
  given.flags = ORDERD_OUTCOME_HAS_TOTALS;
  CHECK(problem(given) == "totals are impossible (authorized 100, captured 200, refunded 0, voided 0)");

  given = done();
  given.message = {"\xff\xfe", 2};
  CHECK(problem(given) == "message is not UTF-8 text");
  given.message = {nullptr, 5};
  CHECK(problem(given) == "message has a size and no data");
  given = done();
  given.details_json = orderd_text("[1]");
  CHECK(problem(given) == "details_json is no object");
  given.details_json = orderd_text("{\"a\":");
  CHECK_THAT(problem(given), Catch::StartsWith("details_json is no JSON"));
  given = done();
  given.retry_after_ms = -1;
  CHECK(problem(given) == "retry_after_ms is -1");
  given = done();
  given.flags = ORDERD_OUTCOME_HAS_STATE;
  const std::string big(outcome_state_bytes_max + 1, 'x');
  given.state = to_view(big);
  CHECK(problem(given) == "state has 16385 bytes, more than 16384");
}

TEST_CASE("an outcome from a later release, longer at its tail, is read") {
  struct Longer {
    orderd_outcome known;
    std::uint64_t more;
  } longer{done(), 7};
  longer.known.struct_size = sizeof longer;
  CHECK(problem(longer.known).empty());
}

TEST_CASE("UTF-8 is judged strictly") {
  for (const char* good : {"", "a", "é", "€", "😀", "\xed\x9f\xbf"}) CHECK(is_utf8_text(good));
  for (const char* bad :
       {"\x80", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xff"})
    CHECK_FALSE(is_utf8_text(bad));
  CHECK_FALSE(is_utf8_text(std::string_view("a\0b", 3)));
}

TEST_CASE("the generation is the key's last part") {
  CHECK(generation_of("pay-1.authorize.1.g2") == 2);
  CHECK(generation_of("pay-1.authorize.1") == 0);
  CHECK(generation_of("pay-1.gx") == 0);
}

}  // namespace
}  // namespace orderd::plugins
