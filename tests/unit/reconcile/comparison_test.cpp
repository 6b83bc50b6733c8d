#include "reconcile/comparison.h"

#include <catch2/catch.hpp>

using namespace orderd;
using namespace orderd::reconcile;

namespace {

saga::Saga captured(std::int64_t amount, std::int64_t refunded = 0) {
  saga::Saga saga;
  saga.payment.authorized = saga.payment.captured = amount;
  saga.payment.refunded = refunded;
  return saga;
}

Listed listed(PaymentTotals totals) { return {"subject", "ref_1", totals}; }

}  // namespace

TEST_CASE("A provider's page is read, and one that makes no sense is not") {
  const auto page =
      read_page(R"({"payments":[{"subject":"a","reference":"r","authorized":5,"captured":4,"refunded":3,)"
                R"("voided":1}],"cursor":"a"})");
  REQUIRE(page);
  REQUIRE(page->payments.size() == 1);
  CHECK(page->payments[0].subject == "a");
  CHECK(page->payments[0].reference == "r");
  CHECK(page->payments[0].totals == PaymentTotals{5, 4, 3, 1});
  CHECK(page->cursor == "a");
  CHECK(read_page(R"({"payments":[],"cursor":null})")->cursor.empty());
  for (const char* bad :
       {"", "[]", "{}", R"({"payments":{}})", R"({"payments":[1]})", R"({"payments":[{}]})"})
    CHECK_FALSE(read_page(bad));
}

TEST_CASE("A list is asked for since a moment, behind a cursor") {
  CHECK(list_details(Time(Millis(7)), "") == R"({"sinceMs":7,"cursor":null})");
  CHECK(list_details(Time(Millis(7)), "p\"1") == R"({"sinceMs":7,"cursor":"p\"1"})");
}

TEST_CASE("What the provider has more of than the order knows is a difference, unless the saga moves") {
  const Listed more = listed({1000, 1000, 200, 0});
  CHECK(compare(captured(1000), Stage::moving, more) == Difference::none);
  CHECK(compare(captured(1000), Stage::waiting, more) == Difference::behind);
  CHECK(compare(captured(1000), Stage::settled, more) == Difference::behind);
  CHECK(compare(captured(1000), Stage::settled, listed({1000, 1000, 0, 0})) == Difference::none);
}

TEST_CASE("Money that is gone at the provider is believed to be gone only when the order is settled") {
  const Listed less = listed({1000, 0, 0, 1000});
  saga::Saga ours = captured(1000);
  ours.voided = 1000;
  CHECK(compare(ours, Stage::moving, less) == Difference::none);
  CHECK(compare(ours, Stage::waiting, less) == Difference::none);
  CHECK(compare(ours, Stage::settled, less) == Difference::reversed);
}

TEST_CASE("A refund that the provider took back after days is a difference") {
  const Listed taken_back = listed({1000, 1000, 0, 0});
  CHECK(compare(captured(1000, 1000), Stage::waiting, taken_back) == Difference::none);
  CHECK(compare(captured(1000, 1000), Stage::settled, taken_back) == Difference::reversed);
}

TEST_CASE("A saga hears of a difference as of a webhook about the whole payment") {
  const saga::Notice behind = notice_of(Difference::behind, listed({10, 10, 0, 0}));
  CHECK(behind.key.empty());
  CHECK(behind.by == "sweeper");
  CHECK(behind.outcome.kind == OutcomeKind::done);
  CHECK(behind.outcome.totals == PaymentTotals{10, 10, 0, 0});
  CHECK(behind.outcome.provider_reference == "ref_1");
  CHECK(notice_of(Difference::reversed, listed({10, 0, 0, 0})).outcome.kind == OutcomeKind::declined);
}
