#include "saga/routing/routes.h"

#include <catch2/catch.hpp>

namespace orderd::saga {
namespace {

const Uuid anyone = Uuid::v7();

OrderBody order(std::int64_t total = 1000, const std::string& currency = "EUR") {
  OrderBody body;
  body.customer_id = "c-1";
  body.currency = currency;
  body.total = total;
  body.payment_method = "card";
  body.metadata_json = R"({"country":"DE","tier":"gold"})";
  return body;
}

std::string chosen(const std::map<std::string, std::string>& rules, const OrderBody& body,
                   const std::set<std::string>& broken = {}) {
  return route(parse_routes(rules)["payment"], "standard", anyone, body, broken);
}

std::string complaint(const std::string& key, const std::string& text) {
  try {
    (void)parse_routes({{key, text}});
    return "";
  } catch (const RouteError& error) { return error.what(); }
}

TEST_CASE("the first rule that fits decides, by number and not by text") {
  const std::map<std::string, std::string> rules{{"payment.10", "ten when currency = EUR"},
                                                 {"payment.9", "nine when currency = EUR"}};
  CHECK(chosen(rules, order()) == "nine");
  CHECK(chosen(rules, order(1000, "USD")) == "standard");
}

TEST_CASE("a rule without a condition fits every order") {
  CHECK(chosen({{"payment.1", "all"}}, order()) == "all");
}

TEST_CASE("all conditions of a rule must hold") {
  const std::map<std::string, std::string> rules{
      {"payment.1", "big when currency = EUR|CHF and amount >= 1000 and method = card"}};
  CHECK(chosen(rules, order(1000)) == "big");
  CHECK(chosen(rules, order(999)) == "standard");
  CHECK(chosen(rules, order(5000, "CHF")) == "big");
  CHECK(chosen(rules, order(5000, "USD")) == "standard");
}

TEST_CASE("amounts are compared in the minor unit, on the side that the sign says") {
  const auto fits = [](const std::string& condition) {
    return chosen({{"payment.1", "yes when amount " + condition}}, order(1000)) == "yes";
  };
  CHECK(fits("< 1001"));
  CHECK_FALSE(fits("< 1000"));
  CHECK(fits("<= 1000"));
  CHECK(fits("> 999"));
  CHECK_FALSE(fits("> 1000"));
  CHECK(fits(">= 1000"));
}

TEST_CASE("metadata and customer are compared as texts") {
  CHECK(chosen({{"payment.1", "home when metadata.country = DE|AT"}}, order()) == "home");
  CHECK(chosen({{"payment.1", "home when metadata.country = FR"}}, order()) == "standard");
  CHECK(chosen({{"payment.1", "home when metadata.none = DE"}}, order()) == "standard");
  CHECK(chosen({{"payment.1", "vip when customer = c-1"}}, order()) == "vip");
}

TEST_CASE("a rule's next instance serves while the first cannot be reached") {
  const std::map<std::string, std::string> rules{{"payment.1", "first, second when currency = EUR"}};
  CHECK(chosen(rules, order()) == "first");
  CHECK(chosen(rules, order(), {"first"}) == "second");
  CHECK(chosen(rules, order(), {"first", "second"}) == "first");  // waits there
}

TEST_CASE("a percentage takes its share of orders, and the same order always goes the same way") {
  const auto rules = parse_routes({{"payment.1", "trial when percent = 20"}})["payment"];
  int trial = 0;
  for (int i = 0; i < 5000; ++i) {
    const Uuid id = Uuid::v7();
    const std::string first = route(rules, "standard", id, order(), {});
    REQUIRE(route(rules, "standard", id, order(), {}) == first);
    trial += first == "trial";
  }
  CHECK(trial > 800);
  CHECK(trial < 1200);
}

TEST_CASE("a misfit is told for people") {
  const auto rule = parse_routes({{"payment.1", "x when currency = USD"}})["payment"].front();
  CHECK(misfit(rule, anyone, order()) == "currency is \"EUR\"");
  const auto big = parse_routes({{"payment.1", "x when amount > 5000"}})["payment"].front();
  CHECK(misfit(big, anyone, order()) == "amount is 1000");
  CHECK(misfit(parse_routes({{"payment.1", "x"}})["payment"].front(), anyone, order()).empty());
}

TEST_CASE("a rule that makes no sense is refused, with its key and what was expected") {
  CHECK_THAT(complaint("payment", "x"), Catch::Contains("route.payment: expected route.<slot>.<number>"));
  CHECK_THAT(complaint("payment.a", "x"), Catch::Contains("expected route.<slot>.<number>"));
  CHECK_THAT(complaint("payment.1", ""), Catch::Contains("route.payment.1") && Catch::Contains("INSTANCE"));
  CHECK_THAT(complaint("payment.1", "x y"), Catch::Contains("INSTANCE"));
  CHECK_THAT(complaint("payment.1", "x when weather = fine"),
             Catch::Contains("\"weather = fine\": expected"));
  CHECK_THAT(complaint("payment.1", "x when amount = 5"), Catch::Contains("amount with <"));
  CHECK_THAT(complaint("payment.1", "x when amount > much"), Catch::Contains("a number"));
  CHECK_THAT(complaint("payment.1", "x when percent = 101"), Catch::Contains("0 to 100"));
  CHECK_THAT(complaint("payment.1", "x when currency < EUR"), Catch::Contains("= VALUE"));
}

}  // namespace
}  // namespace orderd::saga
