// What reaches sagas through the inbox, and what waits at the gate.
#include "support/saga_engine.h"

using namespace orderd;
using namespace orderd::saga;
using namespace orderd::saga::test;

namespace {

Notice totals_now(OutcomeKind kind, PaymentTotals totals) {
  Notice notice{"", "", of(kind), "webhook evt_1"};
  notice.outcome.totals = totals;
  return notice;
}
Saga journal_of(const World& world, const Uuid& id) { return *from_json(world.tables.journal.at(id)); }

}  // namespace

TEST_CASE("a success that comes after an order's end is taken from the inbox and undone") {
  World world;
  const Uuid id = world.tables.place(world.clock.now());
  world.tables.cancel(id, world.clock.now());
  world.settle();
  REQUIRE(world.tables.orders.at(id).status == Status::cancelled);
  REQUIRE(world.bank.effects.empty());
  world.bank.totals[id].authorized = 1000;
  world.tables.put(id, totals_now(OutcomeKind::done, {1000, 0, 0, 0}));
  world.settle();
  CHECK(world.tables.inbox.empty());
  CHECK(world.tables.sagas.empty());
  CHECK(world.bank.totals.at(id).voided == 1000);
  world.judge();
}

TEST_CASE("a reversed capture asks for attention until a person has seen it") {
  World world;
  const Uuid id = world.tables.place(world.clock.now());
  world.settle();
  world.tables.put(id, totals_now(OutcomeKind::declined, {1000, 1000, 1000, 0}));
  world.settle();
  REQUIRE(journal_of(world, id).attention);
  CHECK(world.tables.orders.at(id).status == Status::confirmed);
  world.tables.put(id, Verb{Verb::Kind::acknowledge, "alice", "seen", "", {}});
  world.settle();
  CHECK_FALSE(journal_of(world, id).attention);
  CHECK(journal_of(world, id).attempts.back().by == "operator alice: seen");
}

TEST_CASE("a notice waits in the inbox for whoever has the order's shard by then") {
  World world;
  const Uuid id = world.tables.place(world.clock.now());
  world.settle();
  world.tables.cancel(id, world.clock.now());
  world.tables.log.pop_back();  // the cancellation is still on its way
  world.tables.put(id, totals_now(OutcomeKind::declined, {1000, 1000, 1000, 0}));
  world.turn();
  REQUIRE(world.tables.inbox.size() == 1);
  world.tables.owners[0] = {world.tables.owners[0].position, 2, 99, world.clock.now() + Millis(1'000'000)};
  world.clock.pass(Millis(1000));
  world.turn();
  Saga elsewhere = journal_of(world, id);  // the other host's doing
  elsewhere.version = world.tables.orders.at(id).version;
  world.tables.journal[id] = to_json(elsewhere);
  for (int i = 0; i < 50; ++i) world.turn();
  CHECK(world.tables.inbox.size() == 1);
  CHECK(world.tables.journal.at(id) == to_json(elsewhere));
}

TEST_CASE("news of many finished orders cost one look-up, also when one's cancellation is still to be read") {
  World world;
  std::vector<Uuid> ids;
  for (int i = 0; i < 50; ++i) ids.push_back(world.tables.place(world.clock.now()));
  world.settle();
  world.start();  // by a host that has not seen them
  world.turn();
  const Uuid early = ids.front();
  world.tables.cancel(early, world.clock.now());
  const Event cancellation = world.tables.log.back();
  world.tables.log.pop_back();
  for (const Uuid& id : ids) world.tables.put(id, totals_now(OutcomeKind::done, {1000, 1000, 0, 0}));
  world.clock.pass(Millis(200));
  world.tables.look_ups = 0;
  world.turn();
  CHECK(world.tables.look_ups == 1);
  REQUIRE(world.tables.inbox.size() == 1);
  CHECK(world.tables.inbox.front().order_id == early);
  world.tables.log.push_back(cancellation);
  world.settle();
  CHECK(world.tables.inbox.empty());
  CHECK(world.tables.orders.at(early).status == Status::cancelled);
  world.judge();
}

TEST_CASE("what is said behind an order's end and is no news costs no look-up; what is news is heard") {
  World world;
  std::vector<Uuid> ids;
  for (int i = 0; i < 50; ++i) ids.push_back(world.tables.place(world.clock.now()));
  world.settle();
  for (const Uuid& id : ids) world.tables.put(id, totals_now(OutcomeKind::done, {1000, 1000, 0, 0}));
  world.clock.pass(Millis(200));
  world.tables.look_ups = 0;
  world.turn();
  CHECK(world.tables.inbox.empty());
  CHECK(world.tables.look_ups == 0);
  world.tables.put(ids[7], totals_now(OutcomeKind::declined, {1000, 0, 0, 0}));
  world.tables.put(ids[8], totals_now(OutcomeKind::done, {1000, 1000, 0, 0}));
  world.clock.pass(Millis(200));
  world.turn();
  CHECK(world.tables.look_ups == 1);
  CHECK(journal_of(world, ids[7]).attention);
  world.tables.cancel(ids[8], world.clock.now());
  world.settle();
  world.tables.put(ids[8], totals_now(OutcomeKind::done, {1000, 1000, 0, 0}));  // long overtaken
  world.clock.pass(Millis(200));
  world.settle();
  CHECK(world.tables.orders.at(ids[8]).status == Status::cancelled);
  world.judge();
}

TEST_CASE("while a provider is away sagas wait without burning retries, and go on when it is back") {
  World world;
  for (int i = 0; i < 8; ++i) world.tables.place(world.clock.now());
  world.bank.away = true;
  std::size_t calls = 0;
  bool opened = false;
  for (int i = 0; i < 300; ++i) {  // a minute
    world.turn();
    calls += world.bank.asked.size();
    for (Completion& completion : world.bank.answers()) world.engine->complete(std::move(completion));
    opened |= !world.tables.plugins.empty() && world.tables.plugins.front().breaker == "open";
  }
  CHECK(opened);
  CHECK(calls < 24);
  world.bank.away = false;
  world.settle();
  REQUIRE(world.settled());
  for (const auto& [id, order] : world.tables.orders) CHECK(order.status == Status::confirmed);
  world.judge();
}

TEST_CASE(
    "while captures are paused orders are authorized and reserved, and captured when they are resumed") {
  World world;
  world.tables.switches = {"captures"};
  const Uuid id = world.tables.place(world.clock.now());
  for (int i = 0; i < 50; ++i) world.turn_and_answer();
  CHECK(world.tables.orders.at(id).status == Status::inventory_reserved);
  CHECK(world.bank.effects.size() == 1);
  world.tables.switches.clear();
  world.settle();
  CHECK(world.tables.orders.at(id).status == Status::confirmed);
  world.judge();
}

TEST_CASE("a dead letter that is replayed begins its order's saga; a damaged one is parked again") {
  World world;
  world.turn();
  const Uuid good = world.tables.place(world.clock.now()), bad = world.tables.place(world.clock.now());
  world.tables.owners[0].position = 1;  // both were passed over when they came
  world.start();
  for (int i = 0; i < 5; ++i) world.turn();
  REQUIRE(world.tables.sagas.empty());
  Event damaged = world.tables.log[1];
  damaged.payload = "{";
  for (const auto& [id, event] : {std::pair{good, world.tables.log[0]}, {bad, damaged}})
    world.tables.inbox.push_back({++world.tables.inbox_last, id, 0,
                                  static_cast<std::int16_t>(InboxKind::replay), replay_json(event, 0)});
  for (int i = 0; i < 50; ++i) world.turn_and_answer();
  CHECK(world.tables.inbox.empty());
  CHECK(world.tables.orders.at(good).status == Status::confirmed);
  REQUIRE(world.tables.parked.size() == 1);
  CHECK(world.tables.parked.front().order_id == bad);
}
