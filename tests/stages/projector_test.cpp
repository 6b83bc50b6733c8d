#include "projection/projector.h"

#include "stages/outbox_reader.h"

using namespace orderd;
using namespace orderd::test;

namespace {

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

namespace {

/// Keeps the last version of each order, as a read model does; can be told to fail with a SQLSTATE.
class RowProjection final : public plugins::ProjectionPort {
 public:
  const std::string& instance() const override { return name_; }
  std::vector<plugins::ApplyResult> apply(plugins::TxPort& tx, plugins::ProjectionTarget,
                                          const std::vector<plugins::ProjectionEvent>& events) override {
    for (const auto& event : events) {
      const std::string id = event.order_id.to_string();
      const plugins::TxParam params[] = {{0, false, id}};
      (void)tx.exec(
          "insert into seen values ($1::text::uuid, 1) on conflict (id) do update set n = seen.n + 1", params,
          false);
    }
    return std::vector<plugins::ApplyResult>(events.size());
  }
  void rebuild_begin(plugins::TxPort&) override {}
  void rebuild_finish(plugins::TxPort&) override {}

 private:
  const std::string name_ = "rows";
};

struct RowWorld {
  RowWorld() { database.script("create table seen (id uuid primary key, n int)"); }
  std::unique_ptr<projection::Projector> projector() {
    return std::make_unique<projection::Projector>(database.options(), lease_of("projection:rows"),
                                                   std::make_unique<OutboxReader>(reading), port);
  }
  std::int64_t seen() { return database.number("select count(*) from seen where n > 0"); }
  std::int64_t position() {
    return database.number("select max(pos) from positions where consumer = 'projection:rows'");
  }
  TestDatabase database;
  store::Connection reading{database.options()};
  RowProjection port;
};

}  // namespace

TEST_CASE("A row of the read model that somebody has locked keeps its own order waiting and no other",
          "[projection]") {
  RowWorld world;
  const auto events = append_events(world.database, 1, 40);
  world.database.script("insert into seen values ('" + events[7].order_id.to_string() + "', 0)");
  auto projector = world.projector();
  {
    store::UnitOfWork lock(world.database.session());
    lock.run({"lock_seen", "select n from seen for update"});
    REQUIRE(eventually([&] {
      (void)projector->turn(no_wait);
      return lock.run({"count_seen", "select count(*) from seen where n > 0"}).integer(0, 0) == 39;
    }));
    CHECK(lock.run({"pos_seen", "select max(pos) from positions where consumer = 'projection:rows'"})
              .integer(0, 0) < 8);
    // A new process begins behind the saved position, and meets the same lock.
    projector.reset();
    lock.run({"free_seen", "update positions set owner = null, lease_until = '-infinity'"});
  }
  world.database.script("update positions set owner = null, lease_until = '-infinity'");
  projector = world.projector();
  REQUIRE(eventually([&] {
    (void)projector->turn(no_wait);
    return world.seen() == 40 && world.position() == 40;
  }));
  CHECK(world.database.number("select count(*) from parked") == 0);
}

TEST_CASE("While a projection's table cannot be written for its surroundings no event is parked",
          "[projection]") {
  RowWorld world;
  append_events(world.database, 1, 5);
  const std::string state = GENERATE("53100", "58030", "42501", "25006");
  world.database.script(
      "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no' using "
      "errcode = '" +
      state +
      "'; end $$; create trigger refuse before insert on seen for each row execute function refuse()");
  auto projector = world.projector();
  for (int i = 0; i < 10; ++i) (void)projector->turn(no_wait);
  CHECK(world.seen() == 0);
  CHECK(world.database.number("select count(*) from parked") == 0);
  world.database.script("drop trigger refuse on seen");
  REQUIRE(eventually([&] {
    (void)projector->turn(no_wait);
    return world.seen() == 5;
  }));
}
