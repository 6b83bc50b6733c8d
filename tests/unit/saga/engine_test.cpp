#include "saga/engine.h"

#include <catch2/catch.hpp>

#include "support/saga_world.h"

using namespace orderd;
using namespace orderd::saga;
using namespace orderd::saga::test;

namespace {

constexpr const char* default_saga = R"({"name":"default","steps":[
 {"name":"authorize","slot":"payment","action":"payment.authorize","undo":"payment.void","status":"PAYMENT_AUTHORIZED"},
 {"name":"reserve","slot":"inventory","action":"inventory.reserve","undo":"inventory.release","status":"INVENTORY_RESERVED"},
 {"name":"capture","slot":"payment","action":"payment.capture","pivot":true},
 {"name":"commit","slot":"inventory","action":"inventory.commit","status":"CONFIRMED"}]})";

/// A provider with a ledger of its own, which no crash of the host touches; answers when told to.
class Bank final : public plugins::StepPort {
 public:
  const std::string& instance() const override { return name_; }
  const std::string& digest() const override { return name_; }
  bool supports(std::string_view) const override { return true; }
  bool transactional() const override { return false; }
  bool can_query() const override { return true; }
  Millis idempotency_window() const override { return Millis(0); }
  std::vector<Outcome> execute_in(plugins::TxPort&, const std::vector<Command>&) override { return {}; }
  void execute(std::vector<Command> commands) override {
    for (Command& command : commands) {
      if (command.action == "payment.query") {
        asked.emplace_back(std::move(command));
        continue;
      }
      if (effects.emplace(command.key, command).second) apply(command);
      asked.emplace_back(std::move(command));
    }
  }
  /// The outcomes of what was asked, in any order; some may be lost on the way.
  std::vector<Completion> answers() {
    std::vector<Completion> out;
    for (const Command& command : asked) {
      Completion completion{command.order_id, command.key, {}, name_};
      completion.outcome.kind = OutcomeKind::done;
      completion.outcome.totals = totals[command.order_id];
      if (command.action == "payment.query")
        completion.outcome.query_answer =
            effects.contains(command.query_key) ? QueryAnswer::found : QueryAnswer::not_found_final;
      out.push_back(std::move(completion));
    }
    asked.clear();
    return out;
  }
  std::map<std::string, Command> effects;
  std::map<Uuid, PaymentTotals> totals;
  std::vector<Command> asked;

 private:
  void apply(const Command& command) {
    PaymentTotals& money = totals[command.order_id];
    if (command.action == "payment.authorize") money.authorized += command.amount;
    if (command.action == "payment.capture") money.captured += command.amount;
    if (command.action == "payment.refund") money.refunded += command.amount;
    if (command.action == "payment.void") money.voided = money.authorized - money.captured;
  }
  const std::string name_ = "bank";
};

class Stock final : public plugins::StepPort {
 public:
  const std::string& instance() const override { return name_; }
  const std::string& digest() const override { return name_; }
  bool supports(std::string_view) const override { return true; }
  bool transactional() const override { return true; }
  bool can_query() const override { return false; }
  Millis idempotency_window() const override { return Millis(0); }
  void execute(std::vector<Command>) override {}
  std::vector<Outcome> execute_in(plugins::TxPort& tx, const std::vector<Command>& commands) override {
    Tables& tables = dynamic_cast<MemoryWork&>(tx).next();
    std::vector<Outcome> out(commands.size());
    for (std::size_t i = 0; i < commands.size(); ++i) {
      const Uuid& id = commands[i].order_id;
      out[i].kind = OutcomeKind::done;
      if (commands[i].action == "inventory.reserve") tables.reserved.insert(id);
      if (commands[i].action == "inventory.commit" && tables.reserved.erase(id)) tables.sold.insert(id);
      if (commands[i].action == "inventory.release") tables.reserved.erase(id), tables.sold.erase(id);
    }
    return out;
  }

 private:
  const std::string name_ = "stock";
};

struct World {
  ManualClock clock;
  Tables tables;
  Bank bank;
  Stock stock;
  std::unique_ptr<MemoryStore> store;
  std::unique_ptr<MemoryBus> bus;
  std::unique_ptr<Engine> engine;

  World() { start(); }
  /// A new process on the same tables: everything in memory is gone.
  void start() {
    store = std::make_unique<MemoryStore>(tables);
    bus = std::make_unique<MemoryBus>(tables);
    engine = std::make_unique<Engine>(EngineOptions{}, *store, *bus,
                                      Engine::Slots{{"payment", &bank}, {"inventory", &stock}},
                                      parse_definition(default_saga, "default.json"), clock);
  }
  void turn() {
    clock.pass(Millis(200));
    engine->turn(Millis(0));
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
      CHECK(tables.sold.contains(id) == confirmed);
      CHECK_FALSE(tables.reserved.contains(id));
    }
  }
};

}  // namespace

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
