#include "projection/projector.h"

#include "stages/support.h"

using namespace orderd;
using namespace orderd::test;

namespace {

/// Reads the outbox itself, behind where it was told to start.
class OutboxReader final : public bus::Subscription {
 public:
  explicit OutboxReader(store::Connection& connection) : connection_(connection) {}
  void start(std::int32_t partition, bus::Position after) override { after_[partition] = after; }
  void start_at_end(std::int32_t) override {}
  void stop(std::int32_t partition) override { after_.erase(partition); }
  std::vector<bus::Record> poll(std::size_t max, std::chrono::milliseconds) override {
    std::vector<outbox::From> from;
    for (const auto& [partition, after] : after_)
      from.push_back({static_cast<std::int16_t>(partition), after});
    std::vector<bus::Record> records;
    if (from.empty()) return records;
    for (auto& entry : outbox::read(connection_, from, static_cast<int>(max))) {
      after_[entry.shard] = entry.pos;
      records.push_back({entry.shard, entry.pos, std::move(entry.event), ""});
    }
    return records;
  }
  void wake() override {}
  void saved(std::int32_t, bus::Position) override {}

 private:
  store::Connection& connection_;
  std::map<std::int32_t, bus::Position> after_;
};

/// Fails as a lost session would, as often as it is told to.
class FragileProjection final : public plugins::ProjectionPort {
 public:
  const std::string& instance() const override { return name_; }
  std::vector<plugins::ApplyResult> apply(plugins::TxPort&, plugins::ProjectionTarget,
                                          const std::vector<plugins::ProjectionEvent>& events) override {
    if (failures > 0) {
      --failures;
      throw plugins::TxError("57P01", "the session is gone");
    }
    std::vector<plugins::ApplyResult> results(events.size());
    for (std::size_t i = 0; i < events.size(); ++i)
      if (refuses)
        results[i] = {plugins::ApplyResult::Kind::failed, "it is refused"};
      else
        applied.push_back(events[i].order_id);
    return results;
  }
  void rebuild_begin(plugins::TxPort&) override {}
  void rebuild_finish(plugins::TxPort&) override {}

  int failures = 0;
  bool refuses = false;
  std::vector<Uuid> applied;

 private:
  const std::string name_ = "fragile";
};

}  // namespace

TEST_CASE("A batch whose transaction fails is read again: its position was not saved before it",
          "[projection]") {
  TestDatabase database;
  const auto events = append_events(database, 1, 3);
  store::Connection reading(database.options());
  FragileProjection port;
  port.failures = 1;
  projection::Projector projector(database.options(), lease_of("projection:fragile"),
                                  std::make_unique<OutboxReader>(reading), port);
  REQUIRE(eventually([&] {
    (void)projector.turn(no_wait);
    return port.failures == 0 &&
           database.number("select max(pos) from positions where consumer = 'projection:fragile'") == 3;
  }));
  REQUIRE(port.applied.size() == events.size());
  for (std::size_t i = 0; i < events.size(); ++i) CHECK(port.applied[i] == events[i].order_id);
}

TEST_CASE("A dead letter of a projection is taken up again when somebody asks for it", "[projection]") {
  TestDatabase database;
  const auto events = append_events(database, 1, 2);
  store::Connection reading(database.options());
  FragileProjection port;
  port.refuses = true;
  projection::Projector projector(database.options(), lease_of("projection:fragile"),
                                  std::make_unique<OutboxReader>(reading), port);
  const auto letters = [&](const std::string& where) {
    (void)projector.turn(no_wait);
    return database.number("select count(*) from parked" + where);
  };
  REQUIRE(eventually([&] { return letters("") == 2; }));
  database.script("update parked set replay = now(), reason = 'as it was'");
  REQUIRE(eventually([&] { return letters(" where replay is null and reason = 'it is refused'") == 2; }));
  port.refuses = false;
  database.script("update parked set replay = now() where id = (select min(id) from parked)");
  REQUIRE(eventually([&] { return letters("") == 1; }));
  CHECK(port.applied == std::vector<Uuid>{events[0].order_id});
}
