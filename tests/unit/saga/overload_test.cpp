// More orders than a provider can take: they wait where nothing is at risk.
#include <catch2/catch.hpp>

#include "support/saga_engine.h"

using namespace orderd;
using namespace orderd::saga;
using namespace orderd::saga::test;

namespace {

constexpr std::size_t placed = 3000;

/// A bank that answers nothing yet, and more orders than it is given.
struct Rush : World {
  Rush() {
    for (std::size_t i = 0; i < placed; ++i) tables.place(clock.now());
    for (int i = 0; i < 30; ++i) turn();
  }
  std::set<Uuid> asked() const {
    std::set<Uuid> out;
    for (const Command& command : bank.asked) out.insert(command.order_id);
    return out;
  }
};

}  // namespace

TEST_CASE("a provider that does not answer is given no more, and a crowd is left in the log") {
  Rush rush;
  CHECK(rush.asked().size() < placed / 2);
  CHECK(rush.tables.sagas.size() > rush.asked().size());
  CHECK(rush.tables.sagas.size() < placed);
  rush.settle();
  CHECK(rush.settled());
  rush.judge();
}

TEST_CASE("a takeover writes the sagas whose call was out, and not those that wait") {
  Rush rush;
  const std::set<Uuid> out = rush.asked();
  std::set<Uuid> waiting;
  for (const auto& [id, saga] : rush.tables.sagas)
    if (!out.contains(id)) waiting.insert(id);
  REQUIRE(waiting.size() > out.size());
  rush.tables.touched.clear();
  rush.start();
  for (int i = 0; i < 5; ++i) rush.turn();
  std::size_t taken_over = 0;
  for (const Uuid& id : rush.tables.touched) {
    CHECK_FALSE(waiting.contains(id));
    taken_over += out.contains(id);
  }
  CHECK(taken_over >= out.size());
  rush.settle();
  rush.judge();
}
