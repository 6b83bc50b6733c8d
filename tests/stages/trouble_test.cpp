// Which errors of PostgreSQL are worth another try.
#include "store/db_error.h"

#include "stages/support.h"

using namespace orderd;
using namespace orderd::test;
using store::Trouble;

TEST_CASE("Only what can never succeed is permanent", "[trouble]") {
  for (const char* state : {"22001", "23505", "23514", "42601", "42P01", "42703", "54000", "P0001", "OP001"})
    CHECK(store::trouble_of(state) == Trouble::permanent);
  for (const char* state : {"40001", "40P01", "53100", "53200", "53300", "53400", "55P03", "57014", "58030",
                            "58P01", "42501", "XX001", "25P02"})
    CHECK(store::trouble_of(state) == Trouble::passing);
  for (const char* state : {"", "08006", "57P01", "57P03", "25006"})
    CHECK(store::trouble_of(state) == Trouble::session);
}

TEST_CASE("A session that takes no writes says so, and is thrown away by who meets that", "[trouble]") {
  TestDatabase database;
  database.script("create table t (n int)");
  database.script(
      "do $$ begin execute format('alter database %I set default_transaction_read_only = on', "
      "current_database()); end $$");
  store::Connection session(database.options());
  CHECK(session.read_only());
  try {
    store::UnitOfWork work(session);
    work.run({"write_t", "insert into t values (1)"});
    work.commit();
    FAIL("it was written");
  } catch (const store::DbError& error) {
    CHECK(error.sqlstate == "25006");
    CHECK(error.connection_lost);
  }
  CHECK_FALSE(session.usable());
}

TEST_CASE("A pooled session's transactions have a limit for locks, too", "[trouble]") {
  TestDatabase database;
  database.script("create table t (n int); insert into t values (1)");
  store::UnitOfWork lock(database.session());
  lock.run({"lock_t", "select n from t for update"});
  auto options = database.options();
  options.pooled = true;
  options.lock_timeout_ms = 50;
  store::Connection pooled(options);
  store::UnitOfWork work(pooled);
  try {
    work.run({"update_t", "update t set n = 2"});
    FAIL("it did not wait for the lock");
  } catch (const store::DbError& error) { CHECK(error.sqlstate == "55P03"); }
}
