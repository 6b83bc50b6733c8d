#include "saga/engine/inbox_rows.h"

#include <catch2/catch.hpp>

#include "support/saga_engine.h"

using namespace orderd;
using namespace orderd::saga;
using namespace orderd::saga::test;

namespace {

/// The table, and a host that reads it four rows at a time.
struct Table {
  static constexpr std::size_t limit = 4;
  std::vector<std::int64_t> read() {
    const InboxPlace place = rows.place();
    std::vector<InboxItem> found;
    std::size_t before = 0, behind = 0;
    for (const std::int64_t id : ids)
      if (id > place.swept && (id <= place.settled ? before : behind)++ < limit)
        found.push_back({id, {}, 0, 1, ""});
    std::vector<std::int64_t> out;
    for (const InboxItem& item : rows.take(std::move(found), limit, now)) out.push_back(item.id);
    now += Millis(100);
    return out;
  }
  /// How many reads until it was taken.
  int reads_until(std::int64_t id) {
    for (int i = 1; i <= 100; ++i) {
      const auto taken = read();
      for (const std::int64_t one : taken)
        if (one != id) rows.later(one, now);
      if (std::find(taken.begin(), taken.end(), id) != taken.end()) return i;
    }
    return 0;
  }
  std::set<std::int64_t> ids;
  InboxRows rows;
  Time now{Millis(1'800'000'000'000)};
};

}  // namespace

TEST_CASE("rows that wait keep nobody from reading what is behind them") {
  Table table;
  for (std::int64_t id = 1; id <= 40; ++id) table.ids.insert(id);
  CHECK(table.reads_until(40) <= 11);
  table.ids.insert(41);
  CHECK(table.reads_until(41) <= 2);
}

TEST_CASE("a row that was committed behind a later one is found, and those that wait are tried again") {
  Table table;
  for (std::int64_t id = 1; id <= 40; ++id)
    if (id != 7) table.ids.insert(id);
  REQUIRE(table.reads_until(40) > 0);
  for (int i = 0; i < 30; ++i)
    for (const std::int64_t one : table.read()) table.rows.later(one, table.now);
  table.ids.insert(7);
  CHECK(table.reads_until(7) <= 20);
  std::set<std::int64_t> tried;
  for (int i = 0; i < 400; ++i)
    for (const std::int64_t one : table.read()) {
      tried.insert(one);
      table.rows.later(one, table.now);
    }
  CHECK(tried.size() == 38);  // 40 and 7 are under way
}

TEST_CASE("a row under way is not taken twice, and one that is forgotten is") {
  Table table;
  table.ids = {1, 2};
  CHECK(table.read() == std::vector<std::int64_t>{1, 2});
  CHECK(table.read().empty());
  table.rows.forget(2);
  CHECK(table.read() == std::vector<std::int64_t>{2});
}

TEST_CASE("hundreds of notices for orders that are left alone keep no verb from a healthy one") {
  World world;
  std::vector<Uuid> crowd;
  const Uuid healthy = world.tables.place(world.clock.now());
  world.bank.away = true;
  for (int i = 0; i < 10; ++i) world.turn_and_answer();
  // Their ORDER_CREATED is still to be read: news of them come early.
  const auto log = world.tables.log;
  for (int i = 0; i < 600; ++i) crowd.push_back(world.tables.place(world.clock.now()));
  world.tables.log = log;
  for (const Uuid& id : crowd) world.tables.put(id, Notice{"", "payment.capture", {}, "webhook evt", {}});
  world.turn_and_answer();
  world.bank.away = false;
  world.tables.put(healthy, Verb{Verb::Kind::retry, "anna", "a test", "", {}, 0});
  const std::int64_t verb = world.tables.inbox_last;
  const auto waits = [&] {
    return std::any_of(world.tables.inbox.begin(), world.tables.inbox.end(),
                       [&](const InboxItem& one) { return one.id == verb; });
  };
  for (int i = 0; i < 20 && waits(); ++i) world.turn_and_answer();
  CHECK_FALSE(waits());
  CHECK(world.tables.inbox.size() == 600);
}
