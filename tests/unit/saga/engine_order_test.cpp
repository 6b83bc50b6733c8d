// What comes first when much comes at once, and what stays as it began.
#include "support/saga_engine.h"

using namespace orderd;
using namespace orderd::saga;
using namespace orderd::saga::test;

namespace {

constexpr const char* reserve_first = R"({"name":"reserve-first","steps":[
 {"name":"reserve","slot":"inventory","action":"inventory.reserve","undo":"inventory.release",
  "status":"INVENTORY_RESERVED"},
 {"name":"authorize","slot":"payment","action":"payment.authorize","undo":"payment.void",
  "status":"PAYMENT_AUTHORIZED"},
 {"name":"capture","slot":"payment","action":"payment.capture","pivot":true},
 {"name":"commit","slot":"inventory","action":"inventory.commit","status":"CONFIRMED"}]})";

std::vector<EventType> history(const World& world, const Uuid& id) {
  std::vector<EventType> out;
  for (const Event& event : world.tables.orders.at(id).events) out.push_back(event.type);
  return out;
}

}  // namespace

TEST_CASE("a cancellation is decided before the answers that came in with it: no forward step follows") {
  World world;
  const Uuid id = world.tables.place(world.clock.now());
  while (world.tables.orders.at(id).status != Status::inventory_reserved) world.turn_and_answer();
  REQUIRE(world.bank.effects.size() == 2);  // the capture is there, and its answer waits to be taken
  world.tables.cancel(id, world.clock.now());
  world.turn();
  world.settle();
  const auto& actions = world.stock.actions;
  CHECK(std::find(actions.begin(), actions.end(), "inventory.commit") == actions.end());
  CHECK(world.tables.orders.at(id).status == Status::cancelled);
  world.judge();
}

TEST_CASE("orders of a batch that were cancelled meanwhile do not make the others wait") {
  World world;
  std::vector<Uuid> ids;
  for (int i = 0; i < 64; ++i) ids.push_back(world.tables.place(world.clock.now()));
  const auto all_reserved = [&] {
    return std::all_of(ids.begin(), ids.end(), [&](const Uuid& id) {
      return world.tables.orders.at(id).status == Status::inventory_reserved;
    });
  };
  for (int i = 0; i < 20 && !all_reserved(); ++i) world.turn_and_answer();
  REQUIRE(all_reserved());
  std::vector<Event> unread;
  for (const std::size_t which : {3u, 20u, 60u}) {
    world.tables.cancel(ids[which], world.clock.now());
    unread.push_back(world.tables.log.back());
    world.tables.log.pop_back();
  }
  world.tables.commits = 0;
  SECTION("one more transaction, behind their cancellations") {
    world.turn();
    CHECK(world.tables.commits <= 3);
  }
  SECTION("and one that cannot be written costs a few, not as many as there are orders") {
    world.tables.refused = ids[40];
    world.turn();
    CHECK(world.tables.commits < 24);
    CHECK(world.tables.orders.at(ids[40]).status == Status::inventory_reserved);
    world.tables.refused = {};
  }
  CHECK(world.tables.orders.at(ids[3]).status == Status::cancelling);
  CHECK(world.tables.orders.at(ids[4]).status == Status::confirmed);
  world.tables.log.insert(world.tables.log.end(), unread.begin(), unread.end());
  world.settle();
  CHECK(world.tables.orders.at(ids[3]).status == Status::cancelled);
  CHECK(world.tables.orders.at(ids[40]).status == Status::confirmed);
  world.judge();
}

TEST_CASE("a changed definition file applies to new orders only") {
  using enum EventType;
  World world;
  const Uuid old = world.tables.place(world.clock.now());
  world.turn();
  REQUIRE(world.tables.sagas.contains(old));
  world.start(reserve_first);  // the file was edited, and the host restarted
  const Uuid young = world.tables.place(world.clock.now());
  world.settle();
  REQUIRE(world.settled());
  CHECK(history(world, old) ==
        std::vector{order_created, payment_authorized, inventory_reserved, order_confirmed});
  CHECK(history(world, young) ==
        std::vector{order_created, inventory_reserved, payment_authorized, order_confirmed});
  CHECK(from_json(world.tables.journal.at(old))->definition !=
        from_json(world.tables.journal.at(young))->definition);
  world.judge();
}

TEST_CASE("an order that began with a definition is undone by it, whatever the file says by then") {
  World world;
  const Uuid id = world.tables.place(world.clock.now());
  while (world.tables.orders.at(id).status != Status::inventory_reserved) world.turn_and_answer();
  world.start(reserve_first);
  world.tables.cancel(id, world.clock.now());
  world.settle();
  REQUIRE(world.settled());
  CHECK(world.tables.orders.at(id).status == Status::cancelled);
  world.judge();
}
