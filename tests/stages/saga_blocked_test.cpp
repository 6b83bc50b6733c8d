// The saga on a real PostgreSQL whose rows somebody has locked, or that lacks something.
#include "saga/engine/engine.h"
#include "saga/storage/postgres.h"
#include "stages/outbox_reader.h"

using namespace orderd;
using namespace orderd::test;

namespace {

constexpr const char* goods_alone = R"({"name":"goods","steps":[
 {"name":"reserve","slot":"inventory","action":"inventory.reserve","undo":"inventory.release",
  "status":"INVENTORY_RESERVED"},
 {"name":"commit","slot":"inventory","action":"inventory.commit","pivot":true,"status":"CONFIRMED"}]})";

/// A stock of one row for each order: what somebody locks is that order's alone.
class RowStock final : public plugins::StepPort {
 public:
  const std::string& instance() const override { return name_; }
  const std::string& digest() const override { return name_; }
  bool supports(std::string_view) const override { return true; }
  bool transactional() const override { return true; }
  bool can_query() const override { return false; }
  Millis idempotency_window() const override { return Millis(0); }
  void execute(std::vector<Command>) override {}
  std::vector<Outcome> execute_in(plugins::TxPort& tx, const std::vector<Command>& commands) override {
    for (const Command& command : commands) {
      const std::string id = command.order_id.to_string();
      const plugins::TxParam params[] = {{0, false, id}};
      (void)tx.exec("update goods set n = n + 1 where id = $1::text::uuid", params, false);
    }
    std::vector<Outcome> out(commands.size());
    for (Outcome& one : out) one.kind = OutcomeKind::done;
    return out;
  }

 private:
  const std::string name_ = "stock";
};

struct World {
  World() {
    database.script("create table goods (id uuid primary key, n int not null default 0)");
    begin();
  }
  void begin() {
    engine.reset();
    store.reset();
    database.script("update positions set owner = null, lease_until = '-infinity'");
    store = std::make_unique<saga::PgStore>(database.options(), lease_of("saga"), box);
    engine = std::make_unique<saga::Engine>(saga::EngineOptions{}, *store, reader, plugins,
                                            saga::parse_definition(goods_alone, "goods"), clock);
  }
  std::vector<Uuid> place(std::size_t count) {
    std::vector<Uuid> ids;
    for (const Event& event : append_events(database, 1, count)) {
      ids.push_back(event.order_id);
      const std::string id = "'" + event.order_id.to_string() + "'";
      database.script("insert into order_state (id, shard, status, version, payment_status) values (" + id +
                      ", 1, 1, 1, 1); insert into goods (id) values (" + id + ")");
    }
    return ids;
  }
  bool confirmed(std::int64_t count) {
    return eventually([&] {
      (void)engine->turn(no_wait);
      return number(confirmed_orders) == count;
    });
  }
  /// On a session of its own: the test's may be in a transaction.
  std::int64_t number(const store::Statement& statement) { return looking.run(statement).integer(0, 0); }
  static constexpr store::Statement confirmed_orders{"confirmed",
                                                     "select count(*) from order_state where status = 4"};
  static constexpr store::Statement letters{"letters", "select count(*) from parked"};

  TestDatabase database;
  store::Connection looking{database.options()}, reading{database.options()};
  OutboxReader reader{reading};
  store::SecretBox box{std::string(32, 'k')};
  RowStock stock;
  saga::FixedPlugins plugins{saga::Slots{{"inventory", &stock}}};
  SystemClock clock;
  std::unique_ptr<saga::PgStore> store;
  std::unique_ptr<saga::Engine> engine;
};

}  // namespace

TEST_CASE("A row that somebody has locked keeps its own order waiting, and no other", "[saga]") {
  const std::string table = GENERATE("goods", "order_state");
  World world;
  const auto ids = world.place(20);
  {
    store::UnitOfWork lock(world.database.session());
    const std::string sql =
        "select 1 from " + table + " where " + "id = '" + ids[5].to_string() + "' for update";
    lock.run({"lock_one", sql.c_str()});
    CHECK(world.confirmed(19));
    CHECK(world.number(World::letters) == 0);
  }
  CHECK(world.confirmed(20));
  CHECK(world.number(World::letters) == 0);
}

TEST_CASE("A table that is locked for longer than a lock may last makes no dead letter", "[saga]") {
  World world;
  world.place(20);
  {
    store::UnitOfWork lock(world.database.session());
    lock.run({"lock_sagas", "lock table sagas"});
    for (int i = 0; i < 3; ++i) (void)world.engine->turn(no_wait);
    CHECK(world.number(World::letters) == 0);
  }
  CHECK(world.confirmed(20));
  CHECK(world.number(World::letters) == 0);
}

TEST_CASE("While sagas cannot be written for their surroundings no order is parked", "[saga]") {
  const std::string state = GENERATE("53100", "58030", "42501", "25006", "57P03");
  World world;
  world.place(10);
  world.database.script(
      "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no' using "
      "errcode = '" +
      state +
      "'; end $$; create trigger refuse before insert on sagas for each row execute function refuse()");
  for (int i = 0; i < 5; ++i) (void)world.engine->turn(no_wait);
  CHECK(world.number(World::letters) == 0);
  CHECK(world.number(World::confirmed_orders) == 0);
  const bool restarted = state == "53100";  // nothing was passed over, whoever reads on
  world.database.script("drop trigger refuse on sagas");
  if (restarted) world.begin();
  CHECK(world.confirmed(10));
  CHECK(world.number(World::letters) == 0);
}
