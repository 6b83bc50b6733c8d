#include <catch2/catch.hpp>

#include "support/saga_engine.h"

using namespace orderd;
using namespace orderd::saga;
using namespace orderd::saga::test;

namespace {

void pass(World& world) {
  for (int i = 0; i < 300; ++i) world.turn_and_answer();  // of 200 ms each
}

}  // namespace

TEST_CASE("an order whose beginning the bus lost is found and taken up") {
  World world;
  const Uuid id = world.tables.place(world.clock.now());
  world.bus->lost.insert(0);
  pass(world);
  CHECK(world.tables.orders.at(id).status == Status::confirmed);
  world.judge();
}

TEST_CASE("an order whose cancellation the bus lost is found and its money given back") {
  World world;
  const Uuid id = world.tables.place(world.clock.now());
  world.settle();
  REQUIRE(world.tables.orders.at(id).status == Status::confirmed);
  REQUIRE(world.tables.cancel(id, world.clock.now()));
  world.bus->lost.insert(static_cast<std::int64_t>(world.tables.log.size()) - 1);
  pass(world);
  CHECK(world.tables.orders.at(id).status == Status::cancelled);
  world.judge();
}

TEST_CASE("an order whose saga is gone in the middle waits for a person, once") {
  World world;
  const Uuid id = world.tables.place(world.clock.now());
  const auto& order = world.tables.orders.at(id);
  while (order.version < 2) world.turn_and_answer();
  world.tables.sagas.clear();
  world.start();
  pass(world);
  REQUIRE(world.tables.parked.size() == 1);
  CHECK(world.tables.parked[0].order_id == id);
  CHECK(world.tables.parked[0].version == order.version);
  CHECK_FALSE(is_final(order.status));
}
