// What an operator or one plugin's breaker holds, holds up nobody else, and does not fill the memory.
#include <catch2/catch.hpp>

#include "support/saga_engine.h"

using namespace orderd;
using namespace orderd::saga;
using namespace orderd::saga::test;

namespace {

struct Held : World {
  Held() {
    options.waiting_max = 40;
    options.held_max = 20;
    start();
  }
  void turns(int count) {
    for (int i = 0; i < count; ++i) turn_and_answer();
  }
  std::vector<Uuid> crowd(int count) {
    std::vector<Uuid> out;
    for (int i = 0; i < count; ++i) out.push_back(tables.place(clock.now()));
    return out;
  }
  Status status(const Uuid& id) const { return tables.orders.at(id).status; }
};

}  // namespace

TEST_CASE("while captures are paused new orders, free ones and cancellations go on, however many wait") {
  Held world;
  world.tables.switches.insert("captures");
  const std::vector<Uuid> crowd = world.crowd(500);
  world.turns(60);
  for (const Uuid& id : crowd) REQUIRE(world.status(id) == Status::inventory_reserved);
  CHECK(world.engine->live() <= world.options.held_max + 1);
  REQUIRE(world.tables.plugins.size() == 1);
  CHECK(world.tables.plugins[0].parked == 500);

  const Uuid fresh = world.tables.place(world.clock.now()), free = world.tables.place(world.clock.now(), 0);
  world.tables.cancel(crowd.front(), world.clock.now());
  world.tables.cancel(crowd.back(), world.clock.now());
  world.turns(10);
  CHECK(world.status(fresh) == Status::inventory_reserved);
  CHECK(world.status(free) == Status::confirmed);
  CHECK(world.status(crowd.front()) == Status::cancelled);
  CHECK(world.status(crowd.back()) == Status::cancelled);
  CHECK(world.bank.totals.at(fresh).captured == 0);

  world.tables.switches.clear();
  world.settle();
  CHECK(world.settled());
  world.judge();
}

TEST_CASE("of a call that is held back nothing says that it was sent, and holding it back writes nothing") {
  Held world;
  world.tables.switches.insert("plugin:bank");
  const Uuid id = world.tables.place(world.clock.now());
  world.turns(10);
  const auto saga = from_json(world.tables.sagas.at(id));
  REQUIRE((saga && saga->open));
  const OpenCommand& open = *saga->open;
  CHECK(open.phase == CommandPhase::waiting);
  CHECK(open.sent == Time{});
  CHECK(open.key_sent == Time{});
  CHECK(open.deadline == Time{});
  CHECK(open.sends == 0);
  const std::size_t written = world.tables.touched.size();
  world.turns(50);
  CHECK(world.tables.touched.size() == written);
  CHECK(world.bank.asked.empty());
}

TEST_CASE("what is held comes to its end on a host that takes over, too") {
  Held world;
  world.tables.switches.insert("captures");
  const std::vector<Uuid> crowd = world.crowd(200);
  world.turns(40);
  world.start();
  world.turns(20);
  CHECK(world.engine->live() <= world.options.held_max + 1);
  for (const Uuid& id : crowd) CHECK(world.bank.totals.at(id).captured == 0);
  world.tables.switches.clear();
  world.settle();
  CHECK(world.settled());
  world.judge();
}

TEST_CASE("orders behind an open breaker leave the memory and come back") {
  Held world;
  world.bank.away = true;
  world.crowd(300);
  world.turns(60);
  CHECK(world.engine->live() < 100);
  CHECK(world.tables.sagas.size() == 300);
  world.bank.away = false;
  for (int i = 0; i < 2000 && !world.settled(); ++i) world.turn_and_answer();
  CHECK(world.settled());
  world.judge();
}

TEST_CASE("a verb for an order on the shelf is obeyed") {
  Held world;
  world.tables.switches.insert("plugin:bank");
  const std::vector<Uuid> crowd = world.crowd(100);
  world.turns(30);
  CHECK(world.engine->live() <= world.options.held_max + 1);
  for (const Uuid& id : crowd) world.tables.put(id, Verb{Verb::Kind::retry, "anna", "a test", "", {}, 0});
  world.turns(30);
  CHECK(world.tables.inbox.empty());
  CHECK(world.bank.effects.empty());
  world.tables.switches.clear();
  world.settle();
  CHECK(world.settled());
  world.judge();
}
