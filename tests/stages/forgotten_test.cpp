// Orders that are open while nothing works on them, as engine and `verify` look for them.
#include "saga/storage/forgotten.h"
#include "admin/verify_orders.h"
#include "stages/support.h"

using namespace orderd;
using namespace orderd::test;

namespace {

struct World {
  World() {
    database.script("insert into positions (consumer, shard, pos, epoch) values ('saga', 3, 100, 1)");
  }
  /// An open order, `age` seconds old.
  Uuid place(int age, int status = 1) {
    const Event event = append_events(database, 3, 1).front();
    const std::string id = "'" + event.order_id.to_string() + "'";
    database.script("insert into order_state (id, shard, status, version, payment_status) values (" + id +
                    ", 3, " + std::to_string(status) + ", 1, 1)");
    database.script("update order_events set at = now() - " + std::to_string(age) +
                    " * interval '1 second' where order_id = " + id);
    return event.order_id;
  }
  std::vector<Uuid> found() {
    std::vector<Uuid> out;
    saga::ForgottenCursor cursor;
    for (const auto& one : saga::find_forgotten(database.session(), "saga", {3}, cursor))
      out.push_back(one.order_id);
    return out;
  }
  std::size_t violations() {
    admin::Verified out;
    admin::judge_open_orders(database.session(), 100, out);
    return out.violations.size();
  }

  TestDatabase database;
};

}  // namespace

TEST_CASE("An open order without saga and dead letter is found, and is a violation", "[forgotten]") {
  World world;
  const Uuid lost = world.place(60), cancelling = world.place(60, 5);
  world.place(60, 4), world.place(60, 6), world.place(1);
  const Uuid lives = world.place(60), parked = world.place(60);
  world.database.script("insert into sagas (order_id, shard, st, data) values ('" + lives.to_string() +
                        "', 3, 1, '{}')");
  world.database.script(
      "insert into parked (consumer, order_id, from_version, shard, pos, reason) values ('saga', '" +
      parked.to_string() + "', 1, 3, 7, 'it was refused')");
  CHECK(world.found() == std::vector<Uuid>{cancelling, lost});
  CHECK(world.violations() == 2);
}

TEST_CASE("An order that is still to be read is not forgotten", "[forgotten]") {
  World world;
  world.place(60);
  world.database.script("update positions set pos = 0");
  CHECK(world.found().empty());
  CHECK(world.violations() == 0);
}

TEST_CASE("With Kafka the consumer's mark in the log says what is still to be read", "[forgotten]") {
  World world;
  world.place(60);
  world.database.script("update positions set consumer = 'saga@kafka'");
  const auto found = [&] {
    saga::ForgottenCursor cursor;
    return saga::find_forgotten(world.database.session(), "saga@kafka", {3}, cursor).size();
  };
  CHECK(found() == 0);
  world.database.script("insert into log_marks values ('saga', 3, 1)");
  CHECK(found() == 1);
  world.database.script("delete from log_marks");
  world.database.script("update positions set pos = 1 - (1::int8 << 62)");
  CHECK(found() == 1);
}

TEST_CASE("A round over all orders comes to each of them, in parts", "[forgotten]") {
  World world;
  const Uuid lost = world.place(60);
  world.database.script(
      "insert into order_state (id, shard, status, version, payment_status) select "
      "('ffffffff-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, 3, 4, 4, 5 from generate_series(1, "
      "3000) i");
  saga::ForgottenCursor cursor;
  int rounds = 0;
  while (saga::find_forgotten(world.database.session(), "saga", {3}, cursor).empty()) REQUIRE(++rounds < 10);
  CHECK(rounds == 2);
  CHECK(world.violations() == 0);
  (void)lost;
}

TEST_CASE("What only the read model knows is a violation", "[forgotten]") {
  World world;
  world.database.script("create table orders_read (order_id uuid primary key, version int)");
  const Uuid ahead = world.place(60), level = world.place(60);
  world.database.script("insert into orders_read values ('" + ahead.to_string() + "', 3), ('" +
                        level.to_string() + "', 1), ('" + Uuid::v7().to_string() + "', 4)");
  admin::Verified out;
  admin::judge_ghosts(world.database.session(), 100, out);
  REQUIRE(out.violations.size() == 2);
  CHECK(out.violations[0].law == 5);
}
