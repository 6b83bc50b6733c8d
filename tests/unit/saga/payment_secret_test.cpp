#include <catch2/catch.hpp>

#include "support/saga_engine.h"

using namespace orderd;
using namespace orderd::saga;
using namespace orderd::saga::test;

TEST_CASE("an order whose payment secret does not open asks for no money, and goes on when the key is back") {
  World world;
  const Uuid id = world.tables.place(world.clock.now());
  world.tables.sealed_with_another_key = {id};
  for (int i = 0; i < 5; ++i) world.turn(), world.clock.pass(Millis(1000));
  CHECK(world.bank.asked.empty());
  CHECK(world.tables.orders.at(id).status == Status::pending);
  world.tables.sealed_with_another_key.clear();
  world.settle();
  CHECK(world.tables.orders.at(id).status == Status::confirmed);
  world.judge();
}
