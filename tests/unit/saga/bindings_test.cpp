// Which plugin an order is served by: the engine with several banks, chosen and replaced while it runs.
#include <algorithm>
#include <catch2/catch.hpp>

#include "base/troubles.h"
#include "plugin_ports/error.h"
#include "support/saga_engine.h"

using namespace orderd;
using namespace orderd::saga;
using namespace orderd::saga::test;

namespace {

/// Banks by name and build; `present` serves new orders unless it is broken, then `spare`.
class Banks final : public Plugins {
 public:
  explicit Banks(Stock& stock) : stock_(stock) {}
  std::shared_ptr<const PluginBindings> choose(const Uuid& id, const OrderBody&, const Definition&,
                                               const std::set<std::string>& broken) override {
    if (id == impossible) throw std::out_of_range("no instance of a slot");
    return with(broken.contains(present->instance()) && spare ? *spare : *present);
  }
  std::shared_ptr<const PluginBindings> of(const Saga& saga, const Definition&, bool reopened,
                                           std::string& missing) override {
    if (loading > 0 && loading-- > 0) throw plugins::PluginError("that build is being loaded");
    for (Bank* bank : here)
      if (bank->instance() == orderd::saga::instance_of(saga, "payment", "payment") &&
          (reopened ? bank == present : bank->digest() == saga.digests.at("payment")))
        return with(*bank);
    return missing = "that build is not here", nullptr;
  }
  std::vector<plugins::StepPort*> candidates(const std::string& slot) override {
    if (slot == "inventory") return {&stock_};
    return {present};
  }
  std::set<std::string> external_instances() override { return {present->instance()}; }

  Bank* present = nullptr;
  Bank* spare = nullptr;
  std::vector<Bank*> here;
  int loading = 0;                 // how many askers come too early
  std::optional<Uuid> impossible;  // an order that no plugin can be chosen for

 private:
  std::shared_ptr<const PluginBindings> with(Bank& bank) {
    return std::make_shared<const PluginBindings>(Slots{{"payment", &bank}, {"inventory", &stock_}});
  }
  Stock& stock_;
};

struct Shop {
  ManualClock clock;
  Tables tables;
  Stock stock;
  Banks banks{stock};
  std::unique_ptr<MemoryStore> store;
  std::unique_ptr<MemoryBus> bus;
  std::unique_ptr<Engine> engine;

  void start() {
    store = std::make_unique<MemoryStore>(tables, clock);
    bus = std::make_unique<MemoryBus>(tables);
    engine = std::make_unique<Engine>(EngineOptions{}, *store, *bus, banks,
                                      parse_definition(default_saga, "default.json"), clock);
  }
  Uuid place() { return tables.place(clock.now()); }
  void turns(int count) {
    for (int i = 0; i < count; ++i) {
      clock.pass(Millis(200));
      engine->turn(Millis(0));
      for (Bank* bank : banks.here)
        for (Completion& completion : bank->answers()) engine->complete(std::move(completion));
    }
  }
  Status status(const Uuid& id) const { return tables.orders.at(id).status; }
};

bool served(const Bank& bank, const Uuid& id, const std::string& action) {
  for (const auto& [key, command] : bank.effects)
    if (command.order_id == id && command.action == action) return true;
  return false;
}

/// A shop with two builds of one bank, the old one present.
struct Replacement : Shop {
  Bank old{"payment", "one"}, fresh{"payment", "two"};
  Replacement() {
    banks.present = &old;
    banks.here = {&old, &fresh};
    start();
  }
  /// An order of which the old build has been asked its authorization, and has not answered.
  Uuid asked() {
    const Uuid id = place();
    clock.pass(Millis(200));
    engine->turn(Millis(0));
    REQUIRE(served(old, id, "payment.authorize"));
    return id;
  }
};

}  // namespace

TEST_CASE("an order ends with the build that it began with, and a new one begins with the present build") {
  Replacement shop;
  const Uuid before = shop.asked();
  shop.banks.present = &shop.fresh;
  const Uuid after = shop.place();
  shop.turns(30);
  CHECK(shop.status(before) == Status::confirmed);
  CHECK(served(shop.old, before, "payment.capture"));
  CHECK(shop.status(after) == Status::confirmed);
  CHECK(served(shop.fresh, after, "payment.authorize"));
  CHECK(served(shop.fresh, after, "payment.capture"));
}

TEST_CASE("an order stays with its slot's namesake when the slot is given to another plugin") {
  Replacement shop;
  const Uuid id = shop.asked();
  const Saga saga = from_json(shop.tables.sagas.at(id)).value();
  CHECK(instance_of(saga, "payment", "bank") == "payment");
  CHECK(instance_of(Saga{}, "payment", "bank") == "bank");
}

TEST_CASE("a host that takes over gives each order to the build that it began with") {
  Replacement shop;
  const Uuid id = shop.asked();
  shop.banks.present = &shop.fresh;
  shop.start();
  shop.turns(30);
  CHECK(shop.status(id) == Status::confirmed);
  CHECK(served(shop.old, id, "payment.capture"));
  CHECK(shop.fresh.effects.empty());
}

TEST_CASE("an order that is refunded after its end is refunded by the present build") {
  Replacement shop;
  const Uuid id = shop.place();
  shop.turns(30);
  REQUIRE(shop.status(id) == Status::confirmed);
  shop.banks.present = &shop.fresh;
  shop.fresh.totals = shop.old.totals;  // one provider's ledger
  REQUIRE(shop.tables.cancel(id, shop.clock.now()));
  shop.turns(30);
  CHECK(shop.status(id) == Status::cancelled);
  CHECK(served(shop.fresh, id, "payment.refund"));
}

TEST_CASE("an error of one order that nobody foresaw stops no other") {
  Replacement shop;
  shop.banks.impossible = shop.place();
  const Uuid other = shop.place();
  for (int i = 0; i < 30; ++i) REQUIRE_NOTHROW(shop.turns(1));
  CHECK(shop.status(other) == Status::confirmed);
  CHECK(shop.status(*shop.banks.impossible) == Status::pending);
  REQUIRE(shop.tables.parked.size() == 1);
  CHECK(shop.tables.parked.front().reason == "no instance of a slot");
}

TEST_CASE("a call that cannot be handed over after the commit is asked for and made, and is no dead letter") {
  Replacement shop;
  shop.old.refusals = 1;
  const Uuid id = shop.place();
  for (int i = 0; i < 120; ++i) REQUIRE_NOTHROW(shop.turns(1));
  CHECK(shop.tables.parked.empty());
  CHECK(shop.old.refusals == 0);
  CHECK(shop.status(id) == Status::confirmed);
}

TEST_CASE("a cancellation whose build is still being loaded waits for it and is no dead letter") {
  Replacement shop;
  const Uuid id = shop.place();
  shop.turns(30);
  REQUIRE(shop.status(id) == Status::confirmed);
  shop.start();
  shop.banks.loading = 3;
  REQUIRE(shop.tables.cancel(id, shop.clock.now()));
  shop.turns(60);
  CHECK(shop.tables.parked.empty());
  CHECK(shop.status(id) == Status::cancelled);
}

TEST_CASE("an order whose build is not on this host waits, and goes on when the build is there") {
  Replacement shop;
  const Uuid id = shop.asked();
  shop.banks.present = &shop.fresh;
  shop.banks.here = {&shop.fresh};
  shop.start();
  shop.turns(30);
  CHECK(shop.status(id) == Status::pending);
  CHECK(shop.fresh.effects.empty());
  CHECK(orders_without_build().Value() == 1);
  const auto says_why = [] {
    const auto said = troubles().list();
    return std::any_of(said.begin(), said.end(), [](const auto& one) { return one.starts_with("builds: "); });
  };
  CHECK(says_why());
  shop.banks.here = {&shop.old, &shop.fresh};
  shop.turns(120);
  CHECK(shop.status(id) == Status::confirmed);
  CHECK(served(shop.old, id, "payment.capture"));
  CHECK(orders_without_build().Value() == 0);
  CHECK_FALSE(says_why());
}

TEST_CASE(
    "an order that waits for its build is not ended by a cancellation, which the build then carries out") {
  Replacement shop;
  const Uuid id = shop.asked();
  shop.banks.present = &shop.fresh;
  shop.banks.here = {&shop.fresh};
  shop.start();
  shop.turns(5);
  REQUIRE(shop.tables.cancel(id, shop.clock.now()));
  shop.turns(30);
  CHECK(shop.status(id) == Status::cancelling);
  CHECK(shop.tables.parked.empty());
  shop.banks.here = {&shop.old, &shop.fresh};
  shop.turns(120);
  CHECK(shop.status(id) == Status::cancelled);
  CHECK(served(shop.old, id, "payment.void"));
  CHECK(shop.fresh.effects.empty());
}

TEST_CASE("while a provider cannot be reached, new orders go to the next one that the rule names") {
  Bank first("first", "f"), second("second", "s");
  Shop shop;
  shop.banks.present = &first;
  shop.banks.spare = &second;
  shop.banks.here = {&first, &second};
  shop.start();
  first.away = true;
  std::vector<Uuid> failed;
  for (int i = 0; i < 6; ++i) failed.push_back(shop.place());
  shop.turns(3);
  const Uuid next = shop.place();
  shop.turns(4);
  CHECK(served(second, next, "payment.authorize"));
  for (const Uuid& id : failed) CHECK_FALSE(served(second, id, "payment.authorize"));  // were tried there
  first.away = false;
  shop.turns(400);
  CHECK(shop.status(next) == Status::confirmed);
  for (const Uuid& id : failed) CHECK(shop.status(id) == Status::confirmed);
  const Uuid later = shop.place();
  shop.turns(30);
  CHECK(served(first, later, "payment.authorize"));  // it can be reached again
}
