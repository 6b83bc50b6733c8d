#include "plugins/support/database.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "base/uuid.h"

namespace orderd::plugins::test {
namespace {

std::string server_url() {
  const char* url = std::getenv("ORDERD_TEST_PG");
  if (!url)
    throw std::runtime_error("ORDERD_TEST_PG is not set: the URL of a superuser on database postgres");
  return url;
}

std::string fresh_name() {
  std::string name = "plugins_" + Uuid::v7().to_string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

/// The same server, another database.
std::string with_database(std::string url, const std::string& database) {
  const auto query = url.find('?');
  const auto slash = url.rfind('/', query);
  const auto end = query == std::string::npos ? url.size() : query;
  return url.replace(slash + 1, end - slash - 1, database);
}

std::string made(store::Connection& admin, const std::string& name) {
  admin.script("create database " + name);
  return with_database(server_url(), name);
}

}  // namespace

Database::Database()
    : admin_({server_url()}), name_(fresh_name()), url_(made(admin_, name_)), connection_({url_}) {}

Database::~Database() { admin_.script("drop database " + name_ + " with (force)"); }

std::string Database::ask(const std::string& sql) {
  const store::Rows rows(PQexec(connection_.raw(), sql.c_str()));
  if (PQresultStatus(rows.raw()) != PGRES_TUPLES_OK)
    throw std::runtime_error(sql + ": " + PQresultErrorMessage(rows.raw()));
  return rows.empty() || rows.is_null(0, 0) ? std::string() : std::string(rows.bytes(0, 0));
}

void Database::end_sessions(const std::string& application_like) {
  admin_.script("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '" + name_ +
                "' and application_name like '" + application_like + "'");
}

}  // namespace orderd::plugins::test
