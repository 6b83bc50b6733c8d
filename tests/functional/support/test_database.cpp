#include "functional/support/test_database.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>

#include "store/migrations.h"

namespace orderd::test {
namespace {

/// The same server, another database.
std::string with_database(std::string url, const std::string& database) {
  const auto query = url.find('?');
  const auto slash = url.rfind('/', query);
  const auto end = query == std::string::npos ? url.size() : query;
  return url.replace(slash + 1, end - slash - 1, database);
}

}  // namespace

std::string required_env(const char* name) {
  const char* value = std::getenv(name);
  if (!value || !*value)
    FAIL("the environment variable "
         << name << " is not set: run this suite through ./x test, which starts the servers");
  return value;
}

TestDatabase::TestDatabase()
    : admin_({required_env("ORDERD_TEST_PG")}), name_("functional_" + Uuid::v7().to_string()) {
  std::replace(name_.begin(), name_.end(), '-', '_');
  admin_.script("create database " + name_);
  session_ = std::make_unique<store::Connection>(options());
  store::migrate(*session_, "orderd", store::host_migrations());
}

TestDatabase::~TestDatabase() {
  session_.reset();
  admin_.script("drop database " + name_ + " with (force)");
}

store::ConnectionOptions TestDatabase::options() const {
  store::ConnectionOptions options;
  options.url = with_database(required_env("ORDERD_TEST_PG"), name_);
  // Tests hold locks as long as they need to see something, on machines of any speed.
  options.lock_timeout_ms = options.idle_in_transaction_timeout_ms = 60'000;
  return options;
}

std::int64_t TestDatabase::number(const std::string& sql) {
  return session_->run({sql.c_str(), sql.c_str()}).integer(0, 0);
}

bool TestDatabase::waits_for_a_lock() {
  // Not pg_stat_activity: a transaction sees that as it was when it first looked. Who waits for a row waits
  // for its transaction, which is of no database; but it holds locks here as well.
  return number(
             "select count(*) from pg_locks w where not w.granted and exists (select from pg_locks h join "
             "pg_database d on d.oid = h.database where h.pid = w.pid and d.datname = current_database())") >
         0;
}

std::int64_t TestDatabase::end_sessions() {
  return number(
      "select count(*) filter (where pg_terminate_backend(pid, 5000)) from pg_stat_activity "
      "where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'");
}

}  // namespace orderd::test
