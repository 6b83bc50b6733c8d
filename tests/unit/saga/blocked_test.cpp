#include <catch2/catch.hpp>

#include "support/saga_engine.h"

using namespace orderd;
using namespace orderd::saga;
using namespace orderd::saga::test;

namespace {

std::vector<Uuid> place(World& world, int count) {
  std::vector<Uuid> ids;
  while (static_cast<int>(ids.size()) < count) ids.push_back(world.tables.place(world.clock.now()));
  return ids;
}

void work(World& world, int turns) {
  for (int i = 0; i < turns; ++i) world.turn_and_answer();
}

int confirmed(const World& world) {
  int count = 0;
  for (const auto& [id, order] : world.tables.orders) count += order.status == Status::confirmed;
  return count;
}

}  // namespace

TEST_CASE("an order that somebody's lock holds up waits alone, and goes on when the lock is gone") {
  World world;
  const auto ids = place(world, 9);
  world.turn();
  world.tables.blocked = {ids[4]};
  work(world, 30);
  CHECK(confirmed(world) == 8);
  CHECK(world.tables.parked.empty());
  world.tables.blocked.clear();
  world.settle();
  CHECK(confirmed(world) == 9);
  world.judge();
}

TEST_CASE("no position passes an event that waits for a lock, so that a new process reads it again") {
  World world;
  const auto ids = place(world, 5);
  world.tables.blocked = {ids[2]};
  work(world, 30);
  CHECK(confirmed(world) == 4);
  CHECK(world.tables.owners.at(0).position < 2);
  world.start();
  world.tables.blocked.clear();
  world.clock.pass(Millis(20'000));  // until the lease of the process before is over
  world.settle();
  CHECK(confirmed(world) == 5);
  CHECK(world.tables.parked.empty());
  CHECK(world.tables.owners.at(0).position >= 4);
  world.judge();
}

TEST_CASE("while nothing can be written nothing is parked, and all goes on afterwards") {
  World world;
  const auto ids = place(world, 40);
  world.tables.blocked = {ids.begin(), ids.end()};
  work(world, 100);
  CHECK(world.tables.parked.empty());
  CHECK(world.tables.sagas.empty());
  world.tables.blocked.clear();
  world.settle();
  CHECK(confirmed(world) == 40);
  world.judge();
}

TEST_CASE("a cancellation of an order that waits for a lock is decided behind what waits") {
  World world;
  const auto ids = place(world, 3);
  world.tables.blocked = {ids[0]};
  work(world, 3);
  world.tables.cancel(ids[0], world.clock.now());
  work(world, 10);
  CHECK(world.tables.orders.at(ids[0]).status == Status::cancelling);
  world.tables.blocked.clear();
  world.settle();
  CHECK(world.tables.orders.at(ids[0]).status == Status::cancelled);
  CHECK(world.tables.parked.empty());
  world.judge();
}
