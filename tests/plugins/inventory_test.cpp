// Stock in PostgreSQL: what each command does, and that the numbers add up.
#include <catch2/catch.hpp>

#include "plugins/support/stock.h"

using namespace orderd;
using namespace orderd::plugins::test;

TEST_CASE("Reserve, commit and a release afterwards move a quantity on, and back") {
  Warehouse warehouse;
  warehouse.put({{"SKU-1", 10}, {"SKU-2", 5}});
  const Uuid order = Uuid::v7();
  CHECK(warehouse.run_one("reserve", order, {{"SKU-1", 3}, {"SKU-2", 1}}).kind == OutcomeKind::done);
  CHECK(warehouse.stock("SKU-1") == "7 3 0");
  CHECK(warehouse.run_one("extend", order).kind == OutcomeKind::done);
  CHECK(warehouse.run_one("commit", order).kind == OutcomeKind::done);
  CHECK(warehouse.stock("SKU-1") == "7 0 3");
  CHECK(warehouse.wrong_skus() == 0);
  CHECK(warehouse.run_one("release", order).kind == OutcomeKind::done);
  CHECK(warehouse.stock("SKU-1") == "10 0 0");
  CHECK(warehouse.stock("SKU-2") == "5 0 0");
  CHECK(warehouse.wrong_skus() == 0);
}

TEST_CASE("Every inventory command may come twice") {
  Warehouse warehouse;
  warehouse.put({{"SKU-1", 10}});
  const Uuid order = Uuid::v7();
  for (const auto& [what, after] : std::vector<std::pair<std::string, std::string>>{
           {"reserve", "6 4 0"}, {"commit", "6 0 4"}, {"release", "10 0 0"}})
    for (int i = 0; i < 2; ++i) {
      CHECK(warehouse.run_one(what, order, {{"SKU-1", 4}}).kind == OutcomeKind::done);
      CHECK(warehouse.stock("SKU-1") == after);
    }
}

TEST_CASE("A release of nothing is done and blocks a reserve that comes late") {
  Warehouse warehouse;
  warehouse.put({{"SKU-1", 10}});
  const Uuid order = Uuid::v7();
  CHECK(warehouse.run_one("release", order, {{"SKU-1", 4}}).kind == OutcomeKind::done);
  CHECK(warehouse.run_one("reserve", order, {{"SKU-1", 4}}).code == "RESERVATION_CLOSED");
  CHECK(warehouse.run_one("commit", order).kind == OutcomeKind::declined);
  CHECK(warehouse.run_one("extend", order).code == "RESERVATION_EXPIRED");
  CHECK(warehouse.stock("SKU-1") == "10 0 0");
}

TEST_CASE("A reserve at an empty stock says how products come in") {
  Warehouse warehouse;
  const auto refused = warehouse.run_one("reserve", Uuid::v7(), {{"SKU-1", 1}});
  CHECK(refused.code == "UNKNOWN_SKU");
  CHECK(refused.message.find("orderctl stock demo") != std::string::npos);
  warehouse.put({{"SKU-2", 1}});
  CHECK(warehouse.run_one("reserve", Uuid::v7(), {{"SKU-1", 1}}).message == "there is no product SKU-1");
}

TEST_CASE("A reserve takes all of its lines or none, and says what is missing") {
  Warehouse warehouse;
  warehouse.put({{"SKU-1", 10}, {"SKU-2", 1}});
  const auto reserve = [&](const Lines& lines) { return warehouse.run_one("reserve", Uuid::v7(), lines); };
  CHECK(reserve({{"SKU-1", 2}, {"SKU-2", 2}}).code == "OUT_OF_STOCK");
  CHECK(reserve({{"SKU-1", 2}, {"SKU-9", 1}}).code == "UNKNOWN_SKU");
  CHECK(reserve({{"SKU-1", 6}, {"SKU-1", 5}}).code == "OUT_OF_STOCK");  // two lines of one SKU are one demand
  CHECK(reserve({{"SKU-1", -6}}).code == "INVALID_QUANTITY");
  CHECK(warehouse.stock("SKU-1") == "10 0 0");
  CHECK(reserve({{"SKU-1", 6}, {"SKU-1", 4}}).kind == OutcomeKind::done);
  CHECK(warehouse.stock("SKU-1") == "0 10 0");
}

TEST_CASE("Commands of one call are decided in their order, each with its own outcome") {
  Warehouse warehouse;
  warehouse.put({{"SKU-1", 5}});
  const Uuid a = Uuid::v7(), b = Uuid::v7(), c = Uuid::v7();
  const auto outcomes =
      warehouse.run({stock_command("reserve", a, {{"SKU-1", 4}}), stock_command("reserve", b, {{"SKU-1", 2}}),
                     stock_command("release", a, {}), stock_command("reserve", c, {{"SKU-1", 5}}),
                     stock_command("commit", c, {}), stock_command("reserve", a, {{"SKU-1", 1}})});
  REQUIRE(outcomes.size() == 6);
  CHECK(outcomes[0].kind == OutcomeKind::done);
  CHECK(outcomes[1].code == "OUT_OF_STOCK");
  CHECK(outcomes[2].kind == OutcomeKind::done);
  CHECK(outcomes[3].kind == OutcomeKind::done);
  CHECK(outcomes[4].kind == OutcomeKind::done);
  CHECK(outcomes[5].code == "RESERVATION_CLOSED");
  CHECK(warehouse.stock("SKU-1") == "0 0 5");
  CHECK(warehouse.wrong_skus() == 0);
}

TEST_CASE("Availability tells the number on hand as JSON, whatever the SKU's letters") {
  Warehouse warehouse;
  warehouse.put({{"SKU \"1\":2:", 7}});
  const Uuid order = Uuid::v7();
  CHECK(warehouse.run_one("reserve", order, {{"SKU \"1\":2:", 3}}).kind == OutcomeKind::done);
  CHECK(warehouse.run_one("commit", order).kind == OutcomeKind::done);
  const Outcome outcome = warehouse.run_one("availability", order, {{"SKU \"1\":2:", 1}, {"none", 1}});
  CHECK(outcome.kind == OutcomeKind::done);
  CHECK(outcome.details_json == R"({"available":{"SKU \"1\":2:":4,"none":0}})");
}

TEST_CASE("The catalog lists in pages, books goods in, and refuses to book out what is not there") {
  Warehouse warehouse;
  warehouse.put({{"SKU-1", 1}, {"SKU-2", 2}, {"SKU-3", 3}});
  store::Connection connection = warehouse.database().connect();
  store::UnitOfWork work(connection);
  plugins::LentTransaction tx(work);
  auto& catalog = warehouse.catalog();
  const auto page = catalog.list(tx, "SKU-1", 1);
  REQUIRE(page.size() == 1);
  CHECK(page[0].sku == "SKU-2");
  CHECK(page[0].name == "Name of SKU-2");
  CHECK(page[0].unit_price == 1999);
  CHECK(page[0].currency == "EUR");
  CHECK(page[0].exponent == 2);
  CHECK(page[0].available == 2);
  CHECK(catalog.list(tx, "SKU-3", 5).empty());
  CHECK(catalog.receive(tx, "SKU-2", 40));
  CHECK(catalog.receive(tx, "SKU-2", -2));
  CHECK_FALSE(catalog.receive(tx, "SKU-9", 1));
  work.commit();
  CHECK(warehouse.stock("SKU-2") == "40 0 0");
  CHECK(warehouse.wrong_skus() == 0);

  store::UnitOfWork other(connection);
  plugins::LentTransaction second(other);
  CHECK_THROWS_WITH(catalog.receive(second, "SKU-2", -41), Catch::Contains("SKU-2 has only 40"));
}

TEST_CASE("An import sets numbers by movements, also when two hosts import the same new products at once") {
  Warehouse warehouse;
  warehouse.put({{"SKU-1", 5}});
  warehouse.put({{"SKU-1", 3}});
  CHECK(warehouse.wrong_skus() == 0);
  const auto import = [&](std::int64_t number) {
    store::Connection connection = warehouse.database().connect();
    store::UnitOfWork work(connection);
    plugins::LentTransaction tx(work);
    std::vector<plugins::Product> products;
    for (int i = 2; i < 10; ++i)
      products.push_back({"SKU-" + std::to_string(i), "", 1, "JPY", 0, number, 0, 0});
    warehouse.catalog().put(tx, products);
    work.commit();
  };
  std::thread other([&] { import(7); });
  import(11);
  other.join();
  CHECK(warehouse.wrong_skus() == 0);
}
