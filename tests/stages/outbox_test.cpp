#include <future>

#include "outbox/dead_letters.h"
#include "stages/support.h"

using namespace orderd;
using namespace orderd::test;

TEST_CASE("A reader who remembers a position misses no event, whatever commits first", "[outbox]") {
  TestDatabase database;
  // For the mutation, which numbers by a sequence.
  database.script("create sequence order_events_pos");
  store::Connection slow(database.options()), quick(database.options()), reader(database.options());
  store::UnitOfWork first(slow);
  outbox::append(first, {{0, {some_event()}}});
  (void)first.flush();  // numbered, not committed

  auto second = std::async(std::launch::async, [&] {
    store::UnitOfWork work(quick);
    outbox::append(work, {{0, {some_event()}}});
    work.commit();
  });
  const auto is_done = [&] { return second.wait_for(no_wait) == std::future_status::ready; };
  const auto waits = [&] {  // for the other's transaction, which is a lock of no database
    return database.number(
               "select count(*) from pg_locks l join pg_stat_activity a using (pid) "
               "where not l.granted and a.datname = current_database()") > 0;
  };
  REQUIRE(eventually([&] { return is_done() || waits(); }));

  std::size_t seen = 0;
  std::int64_t position = -1;
  const auto read = [&] {
    for (const auto& entry : outbox::read(reader, {{0, position}}, 10)) {
      position = entry.pos;
      ++seen;
    }
  };
  read();
  first.commit();
  second.get();
  read();
  CHECK(seen == 2);
}

TEST_CASE("Of records that are no event of ours a bounded number is kept, of events all") {
  TestDatabase database;
  const auto park = [&](std::int64_t first, std::int64_t count, std::int32_t version) {
    std::vector<outbox::DeadLetter> letters;
    for (std::int64_t i = 0; i < count; ++i)
      letters.push_back(
          {version > 0 ? Uuid::v7() : Uuid{}, version, 0, first + i, "it has no key", "{}", "x"});
    store::UnitOfWork work(database.session());
    outbox::park(work, "saga", letters);
    work.commit();
  };
  park(0, outbox::foreign_kept_max, 0);
  park(20'000, 5, 0);
  park(30'000, 5, 1);
  CHECK(database.number("select count(*) from parked where from_version = 0") == outbox::foreign_kept_max);
  CHECK(database.number("select count(*) from parked where from_version = 1") == 5);
}

TEST_CASE("An order whose id is far ahead of the time is refused") {
  TestDatabase database;
  const auto append = [&](std::int32_t version, std::chrono::hours ahead) {
    Event event = some_event();
    event.version = version;
    const auto stamp = static_cast<std::uint64_t>((now() + ahead).time_since_epoch().count());
    for (std::size_t i = 0; i < 6; ++i)
      event.order_id.bytes[i] = static_cast<std::uint8_t>(stamp >> (40 - 8 * i));
    store::UnitOfWork work(database.session());
    outbox::append(work, {{0, {event}}});
    work.commit();
  };
  append(1, std::chrono::hours(1));
  CHECK_THROWS_WITH(append(1, std::chrono::hours(2400)), Catch::Contains("a day ahead"));
  append(2, std::chrono::hours(2400));  // of one that was taken before: it goes on
}

TEST_CASE("Months whose events are in the default partition get their partitions, and keep every event") {
  TestDatabase database;
  database.script(
      "insert into order_events select orderd_month_bound(now() + i * interval '30 days'), 1, 1, now(), '', "
      "null, 0, i "
      "from generate_series(1, 20) i");
  REQUIRE(database.number("select count(*) from only order_events_default") > 10);
  database.script("select orderd_ensure_partitions(now(), 24)");
  CHECK(database.number("select count(*) from only order_events_default") == 0);
  CHECK(database.number("select count(*) from order_events") == 20);
  CHECK(database.number("select count(*) from pg_inherits where inhparent = 'order_events'::regclass") == 25);
  database.script("select orderd_ensure_partitions(now(), 24)");  // once more changes nothing
  database.script(
      "insert into order_events_default values ('ffffffff-0000-7000-8000-000000000000', 1, 1, now(), '', "
      "null, 0, 99)");
  CHECK(database.number("select count(*) from order_events") == 21);
}
