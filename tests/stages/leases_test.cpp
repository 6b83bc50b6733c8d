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

TEST_CASE("After a failover an epoch that two hosts were given lets neither write for the other",
          "[leases]") {
  TestDatabase database;
  store::Connection here(database.options());
  outbox::Leases one(lease_of("saga"));
  (void)one.maintain(here);
  const std::int16_t shard = one.held().begin()->first;
  // The standby did not have this claim: another host was given the same epoch there.
  database.script("update positions set owner = gen_random_uuid()");
  store::UnitOfWork work(here);
  one.advance(work, {{shard, 7}});
  CHECK_THROWS_AS(work.commit(), store::DbError);
}

TEST_CASE("What is held is claimed anew when the database is another one, though the session is the same",
          "[leases]") {
  TestDatabase database;
  store::Connection here(database.options());
  outbox::Leases one(lease_of("saga"));
  (void)one.maintain(here);
  const auto before = one.held();
  CHECK(one.maintain(here).lost.empty());
  database.script(
      "create or replace function orderd_database() returns text language sql as $$ select 'a standby' $$");
  const auto change = one.maintain(here);
  CHECK(change.lost.size() == before.size());
  CHECK(change.gained.size() == before.size());
  for (const auto& [shard_of, held] : one.held()) CHECK(held.epoch == before.at(shard_of).epoch + 1);
}
