#include "saga/engine/turned_clock.h"

#include <catch2/catch.hpp>

#include "support/saga_engine.h"

using namespace orderd;
using namespace orderd::saga;
using namespace orderd::saga::test;

TEST_CASE("a saga that was written by a clock far ahead is woken when it was meant to be") {
  World world;
  const Uuid id = world.tables.place(world.clock.now());
  world.bank.away = true;
  for (int i = 0; i < 10; ++i) world.turn_and_answer();
  REQUIRE(world.tables.sagas.contains(id));
  world.clock.pass(Millis(-3 * 3'600'000));
  world.bank.away = false;
  world.start();
  const Time began = world.clock.now();
  world.settle();
  CHECK(world.settled());
  CHECK(world.tables.orders.at(id).status == Status::confirmed);
  CHECK(world.clock.now() - began < Millis(60'000));
  world.judge();
}

TEST_CASE("what a provider said of time is not touched by a turned clock") {
  const Time now{Millis(1'800'000'000'000)};
  Saga saga;
  saga.open.emplace();
  saga.open->sent = now + Millis(3'600'000);
  saga.open->next = now + Millis(3'600'500);
  saga.open->expires = now + Millis(900'000);
  Saga back = saga;
  bring_back_to(now, back);
  CHECK(back.open->next == now + Millis(500));
  CHECK(back.open->expires == saga.open->expires);
  const Saga once = back;
  bring_back_to(now, back);
  CHECK(back == once);
}

TEST_CASE("a call whose time was over before it could go out does not go out") {
  World world;
  const Uuid id = world.tables.place(world.clock.now());
  world.tables.stands_still = [&] { world.clock.pass(Millis(30'000)); };
  world.turn();
  CHECK(world.tables.sagas.contains(id));
  CHECK(world.bank.asked.empty());
  world.tables.stands_still = nullptr;
  world.settle();
  CHECK(world.settled());
  CHECK(world.tables.orders.at(id).status == Status::confirmed);
  world.judge();
}
