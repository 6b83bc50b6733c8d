#include <catch2/catch.hpp>

#include "support/saga_engine.h"

using namespace orderd;
using namespace orderd::saga;
using namespace orderd::saga::test;

TEST_CASE("the engine takes an order from ORDER_CREATED to CONFIRMED against a store in memory") {
  World world;
  const Uuid id = world.tables.place(world.clock.now());
  for (int i = 0; i < 20 && !world.settled(); ++i) {
    world.turn();
    for (Completion& completion : world.bank.answers()) world.engine->complete(std::move(completion));
  }
  REQUIRE(world.settled());
  CHECK(world.tables.orders.at(id).status == Status::confirmed);
  CHECK(world.tables.orders.at(id).events.size() == 4);
  CHECK(world.bank.effects.size() == 2);
  world.judge();
}

TEST_CASE("an intent is committed before the provider hears of it") {
  World world;
  const Uuid id = world.tables.place(world.clock.now());
  world.tables.crash_at_commit = 0;
  world.turn();
  CHECK(world.bank.effects.empty());
  world.turn();
  world.turn();
  CHECK(world.bank.effects.size() == 1);
  CHECK(world.tables.sagas.contains(id));
}

TEST_CASE("a late duplicate of ORDER_CREATED starts no second saga") {
  World world;
  world.tables.place(world.clock.now());
  const auto finish = [&] {
    for (int i = 0; i < 20; ++i) {
      world.turn();
      for (Completion& completion : world.bank.answers()) world.engine->complete(std::move(completion));
    }
  };
  finish();
  world.tables.log.push_back(world.tables.log.front());
  finish();
  CHECK(world.bank.effects.size() == 2);
  world.judge();
}

TEST_CASE("a timer and a cancellation of one order in one tick record no call as sent that is not made") {
  World world;
  const Uuid id = world.tables.place(world.clock.now());
  while (world.bank.asked.empty()) world.turn();
  Completion busy{id, world.bank.asked.front().key, {}, "bank"};
  busy.outcome.kind = OutcomeKind::retry;  // surely had no effect: the ledger forgets it
  world.bank.asked.clear();
  world.bank.effects.clear();
  world.bank.totals.clear();
  world.engine->complete(std::move(busy));
  world.turn();
  world.clock.pass(Millis(60'000));
  world.tables.cancel(id, world.clock.now());
  for (int i = 0; i < 20 && !world.settled(); ++i) {
    world.turn();
    for (Completion& completion : world.bank.answers()) world.engine->complete(std::move(completion));
  }
  REQUIRE(world.settled());
  CHECK(world.tables.orders.at(id).status == Status::cancelled);
  world.judge();
}

TEST_CASE("random crashes, lost answers and cancellations leave money, stock and versions right") {
  const unsigned seed = GENERATE(range(1u, 121u));
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const auto chance = [&](int percent) { return static_cast<int>(random() % 100) < percent; };
  World world;
  std::vector<Uuid> placed;
  for (int step = 0; step < 120; ++step) {
    if (placed.size() < 12 && chance(30))
      placed.push_back(world.tables.place(world.clock.now(), chance(10) ? 0 : 1000));
    if (!placed.empty() && chance(8))
      world.tables.cancel(placed[random() % placed.size()], world.clock.now());
    if (chance(6)) {
      world.tables.crash_at_commit = static_cast<int>(random() % 2);
      world.tables.crash_after_commit = chance(50);
    }
    if (chance(4)) world.start();
    if (chance(5) && !world.tables.log.empty())  // the bus delivers something twice
      world.tables.log.push_back(world.tables.log[random() % world.tables.log.size()]);
    world.turn();
    if (!chance(70)) continue;
    auto answers = world.bank.answers();
    std::shuffle(answers.begin(), answers.end(), random);
    for (Completion& completion : answers) {
      if (chance(10)) continue;  // lost: whoever takes over must ask
      if (chance(5)) world.engine->complete(completion);
      world.engine->complete(std::move(completion));
    }
    if (chance(10)) world.start();
  }
  world.tables.crash_at_commit = -1;
  world.start();
  for (int i = 0; i < 200 && !world.settled(); ++i) {
    world.turn();
    for (Completion& completion : world.bank.answers()) world.engine->complete(std::move(completion));
  }
  REQUIRE(world.settled());
  CHECK(world.tables.parked.empty());
  world.judge();
}
