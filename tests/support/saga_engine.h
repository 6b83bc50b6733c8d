#pragma once
// The saga engine in its world in memory (saga_tables.h), with a bank and a stock that can be told what to
// do.
#include <catch2/catch.hpp>

#include "saga/engine/engine.h"
#include "support/saga_bus.h"
#include "support/saga_plugins.h"
#include "support/saga_story.h"

namespace orderd::saga::test {

struct World {
  ManualClock clock;
  EngineOptions options;
  Tables tables;
  Bank bank;
  Stock stock;
  FixedPlugins plugins{Slots{{"payment", &bank}, {"inventory", &stock}}};
  std::unique_ptr<MemoryStore> store;
  std::unique_ptr<MemoryBus> bus;
  std::unique_ptr<Engine> engine;

  World() { start(); }
  /// A new process on the same tables: everything in memory is gone.
  void start(const char* definition = default_saga) {
    store = std::make_unique<MemoryStore>(tables, clock);
    bus = std::make_unique<MemoryBus>(tables);
    engine = std::make_unique<Engine>(options, *store, *bus, plugins,
                                      parse_definition(definition, "default.json"), clock);
  }
  void turn() {
    clock.pass(Millis(200));
    engine->turn(Millis(0));
  }
  /// A turn, and the bank's answers to all that it was asked.
  void turn_and_answer() {
    turn();
    for (Completion& completion : bank.answers()) engine->complete(std::move(completion));
  }
  void settle() {
    for (int i = 0; i < 400 && !(settled() && tables.inbox.empty()); ++i) turn_and_answer();
  }
  bool settled() const {
    for (const auto& [id, order] : tables.orders)
      if (!is_final(order.status)) return false;
    return tables.sagas.empty();
  }
  void judge() const {
    for (const auto& [id, order] : tables.orders) {
      INFO("order " << id.to_string() << " " << name(order.status));
      for (std::size_t i = 0; i < order.events.size(); ++i)
        REQUIRE(order.events[i].version == static_cast<int>(i + 1));
      const auto money = bank.totals.contains(id) ? bank.totals.at(id) : PaymentTotals{};
      const bool confirmed = order.status == Status::confirmed;
      CHECK(money.captured - money.refunded == (confirmed ? order.body.total : 0));
      CHECK(money.captured <= order.body.total);
      if (!confirmed) CHECK(money.authorized == money.captured + money.voided);
      CHECK(tables.stock.sold.contains(id) == confirmed);
      CHECK_FALSE(tables.stock.reserved.contains(id));
    }
  }
};

}  // namespace orderd::saga::test
