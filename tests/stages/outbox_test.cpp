#include <future>

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
