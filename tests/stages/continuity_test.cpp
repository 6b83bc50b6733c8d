#include "outbox/continuity.h"

#include <filesystem>

#include "stages/support.h"

using namespace orderd;
using namespace orderd::test;
using Catch::Contains;

namespace {

struct World {
  World() : file(std::filesystem::temp_directory_path() / ("orderd-seen-" + Uuid::v7().to_string())) {}
  ~World() { std::filesystem::remove(file); }
  /// By a host that starts now.
  std::string judge() { return outbox::Continuity(file).judge(database.session()); }
  std::string epoch() { return outbox::epoch(database.session()).id.to_string(); }
  void go_back(std::int64_t to) {
    database.script("delete from order_events where pos > " + std::to_string(to));
    database.script("update log_shard set last = least(last, " + std::to_string(to) + ")");
  }

  TestDatabase database;
  const std::filesystem::path file;
};

}  // namespace

TEST_CASE(
    "A database that went back is refused, at a start and while the host runs, until a person accepts it",
    "[continuity]") {
  World world;
  append_events(world.database, 2, 5);
  outbox::Continuity running(world.file);
  CHECK(running.judge(world.database.session()) == "");
  world.go_back(3);
  CHECK_THAT(running.judge(world.database.session()), Contains("went back") && Contains("at least 2 events"));
  CHECK_THAT(world.judge(), Contains("orderctl database accept"));
  append_events(world.database, 3, 9);  // of others; what is missing is missing
  CHECK_THAT(world.judge(), Contains("at least 2 events"));
  const std::string before = world.epoch();
  store::UnitOfWork work(world.database.session());
  outbox::accept_database(work, "anna", "restored from the dump of Monday");
  work.commit();
  CHECK(world.epoch() != before);
  CHECK(world.judge() == "");
  CHECK(running.judge(world.database.session()) == "");
  world.go_back(1);  // and once more
  CHECK_THAT(world.judge(), Contains("went back"));
}

TEST_CASE("Another server that lost nothing begins a new epoch of the log by itself", "[continuity]") {
  World world;
  append_events(world.database, 2, 5);
  CHECK(world.judge() == "");
  const std::string before = world.epoch();
  CHECK(world.judge() == "");
  CHECK(world.epoch() == before);
  world.database.script(
      "create or replace function orderd_database() returns text language sql as $$ select 'a standby' $$");
  CHECK(world.judge() == "");
  const std::string after = world.epoch();
  CHECK(after != before);
  CHECK(world.judge() == "");
  CHECK(world.epoch() == after);
  world.go_back(2);
  CHECK_THAT(world.judge(), Contains("went back"));  // an epoch that no person began accepts nothing
}

TEST_CASE("A host that remembers nothing takes the database as it is", "[continuity]") {
  World world;
  append_events(world.database, 2, 5);
  CHECK(outbox::Continuity("").judge(world.database.session()) == "");
  CHECK(outbox::Continuity("/nowhere/at/all").judge(world.database.session()) == "");
}
