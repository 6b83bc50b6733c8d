#include "stages/support.h"

using namespace orderd;
using namespace orderd::test;

TEST_CASE("Of two hosts that both work, each shard belongs to one", "[leases]") {
  TestDatabase database;
  store::Connection here(database.options()), there(database.options());
  outbox::Leases one(lease_of("relay")), other(lease_of("relay"));
  for (int round = 0; round < 3; ++round) {
    (void)one.maintain(here);
    (void)other.maintain(there);
  }
  std::size_t held = 0;
  for (const auto& [shard, lease] : one.held()) {
    INFO("shard " << shard);
    CHECK(other.held().count(shard) == 0);
    ++held;
  }
  held += other.held().size();
  CHECK(held == static_cast<std::size_t>(database.number("select count(*) from log_shard")));
}

TEST_CASE("A host that lost its shard cannot move its position", "[leases]") {
  TestDatabase database;
  store::Connection here(database.options()), there(database.options());
  outbox::Leases one(lease_of("saga")), other(lease_of("saga"));
  (void)one.maintain(here);
  database.script("update positions set lease_until = '-infinity'");
  (void)other.maintain(there);
  REQUIRE_FALSE(other.held().empty());
  const std::int16_t shard = other.held().begin()->first;
  store::UnitOfWork work(here);
  one.advance(work, {{shard, 7}});
  CHECK_THROWS_AS(work.commit(), store::DbError);
  CHECK(database.number("select max(pos) from positions") == -1);
}
