#include "relay/relay.h"

#include "stages/support.h"

using namespace orderd;
using namespace orderd::test;

namespace {

/// A broker that takes everything and reports what the test lets it.
class SlowBroker final : public bus::Publisher {
 public:
  struct Seen {
    std::vector<bus::Outgoing> taken;
    bool reports = false;
    Uuid refused{};  // all events of this order
  };
  explicit SlowBroker(Seen& seen) : seen_(seen) {}
  std::size_t publish(const std::vector<bus::Outgoing>& events) override {
    for (std::size_t i = 0; i < events.size(); ++i) {
      const bool refused = events[i].event.order_id == seen_.refused;
      if (refused)
        refused_.push_back({events[i].partition, events[i].outbox_position, "it is too large"});
      else
        seen_.taken.push_back(events[i]);
      if (refused) return i + 1;
    }
    return events.size();
  }
  Progress poll(std::chrono::milliseconds) override {
    Progress progress;
    progress.refused = std::exchange(refused_, {});
    for (const auto& one : progress.refused) progress.acknowledged = {{one.partition, one.outbox_position}};
    for (; seen_.reports && reported_ < seen_.taken.size(); ++reported_)
      progress.acknowledged.emplace_back(seen_.taken[reported_].partition,
                                         seen_.taken[reported_].outbox_position);
    return progress;
  }

 private:
  Seen& seen_;
  std::size_t reported_ = 0;
  std::vector<Progress::Refused> refused_;
};

}  // namespace

TEST_CASE("The relay's position waits for the broker's report, so that a crash loses nothing", "[relay]") {
  TestDatabase database;
  append_events(database, 2, 3);
  SlowBroker::Seen seen;
  const auto position = [&] {
    return database.number("select max(pos) from positions where consumer = 'relay'");
  };
  {
    relay::Relay relay(database.options(), lease_of("relay"), std::make_unique<SlowBroker>(seen));
    REQUIRE(eventually([&] { return relay.turn(no_wait) && seen.taken.size() == 3; }));
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
    while (std::chrono::steady_clock::now() < until) REQUIRE(relay.turn(no_wait));
    CHECK(position() == -1);
  }
  // Another host goes on where the broker had not answered.
  database.script("update positions set owner = null, lease_until = '-infinity'; delete from hosts");
  seen.taken.clear();
  seen.reports = true;
  relay::Relay relay(database.options(), lease_of("relay"), std::make_unique<SlowBroker>(seen));
  REQUIRE(eventually([&] { return relay.turn(no_wait) && position() == 3; }));
  CHECK(seen.taken.size() == 3);
}

TEST_CASE("A shard's next events wait for the report of those before, other shards do not", "[relay]") {
  TestDatabase database;
  append_events(database, 2, 3);
  SlowBroker::Seen seen;
  relay::Relay relay(database.options(), lease_of("relay"), std::make_unique<SlowBroker>(seen));
  REQUIRE(eventually([&] { return relay.turn(no_wait) && seen.taken.size() == 3; }));
  append_events(database, 2, 2);
  append_events(database, 5, 1);
  REQUIRE(eventually([&] { return relay.turn(no_wait) && seen.taken.size() == 4; }));
  CHECK(seen.taken.back().partition == 5);
  for (int turns = 0; turns < 5; ++turns) REQUIRE(relay.turn(no_wait));
  CHECK(seen.taken.size() == 4);
  seen.reports = true;
  REQUIRE(eventually([&] { return relay.turn(no_wait) && seen.taken.size() == 6; }));
  CHECK(seen.taken.back().outbox_position == 5);
}

TEST_CASE("What the broker refused goes out again when somebody asks for it, an order's letters in order",
          "[relay]") {
  TestDatabase database;
  Event first = some_event(), second = first, other = some_event();
  second.version = 2;
  {
    store::UnitOfWork work(database.session());
    outbox::append(work, {{std::int16_t{2}, {first, second, other}}});
    work.commit();
  }
  database.script("insert into order_state (id, shard, status, version, payment_status) values ('" +
                  first.order_id.to_string() + "', 2, 2, 2, 1)");
  const auto marked = [&] {
    return database.number(
        "select count(*) from order_state where attention::jsonb ->> 'code' = 'EVENT_PARKED'");
  };
  SlowBroker::Seen seen;
  seen.reports = true;
  seen.refused = first.order_id;
  relay::Relay relay(database.options(), lease_of("relay"), std::make_unique<SlowBroker>(seen));
  const auto letters = [&] { return database.number("select count(*) from parked where replay is null"); };
  REQUIRE(eventually([&] { return relay.turn(no_wait) && letters() == 2; }));
  REQUIRE(seen.taken.size() == 1);
  REQUIRE(eventually([&] { return relay.turn(no_wait) && marked() == 1; }));
  database.script("update order_state set attention = null");  // as its saga does with its next event
  REQUIRE(eventually([&] { return relay.turn(no_wait) && marked() == 1; }));
  database.script("update parked set replay = now() where from_version = 1");
  REQUIRE(eventually([&] {
    return relay.turn(no_wait) && letters() == 2 && database.number("select count(*) from parked") == 2;
  }));
  seen.refused = {};
  database.script("update parked set replay = now() where from_version = 1");
  REQUIRE(
      eventually([&] { return relay.turn(no_wait) && database.number("select count(*) from parked") == 0; }));
  REQUIRE(seen.taken.size() == 3);
  CHECK(seen.taken[1].event.version == 1);
  CHECK(seen.taken[2].event.version == 2);
  CHECK(marked() == 0);
}
