#include "store/provision.h"

namespace orderd::store {
namespace {

constexpr Statement role_exists{"role_exists", "select exists (select from pg_roles where rolname = $1)"};
constexpr Statement database_exists{"database_exists",
                                    "select exists (select from pg_database where datname = $1)"};

std::string identifier(Connection& connection, const std::string& name) {
  char* text = PQescapeIdentifier(connection.raw(), name.data(), name.size());
  if (!text) throw DbError("\"" + name + "\" cannot be a name in PostgreSQL", "", false);
  std::string out = text;
  PQfreemem(text);
  return out;
}

}  // namespace

Target target_of(const std::string& url) {
  PQconninfoOption* options = PQconninfoParse(url.c_str(), nullptr);
  // libpq's own words would quote a part of it, which may be of the password.
  if (!options) throw DbError("postgres.url cannot be read as a connection string", "", false);
  Target target{"", "", "orderd", "orderd", false};
  for (const PQconninfoOption* one = options; one->keyword; ++one) {
    if (!one->val || !*one->val) continue;
    const std::string_view keyword = one->keyword;
    if (keyword == "host" || keyword == "hostaddr") target.host = one->val;
    if (keyword == "port") target.port = one->val;
    if (keyword == "user") target.role = one->val;
    if (keyword == "dbname") target.database = one->val;
  }
  PQconninfoFree(options);
  target.local_socket = target.host.empty() || target.host[0] == '/' || target.host[0] == '@';
  return target;
}

ConnectionOptions superuser_of(const Target& target) {
  ConnectionOptions options;
  options.url = "user=postgres dbname=postgres";
  if (!target.host.empty()) options.url += " host=" + target.host;
  if (!target.port.empty()) options.url += " port=" + target.port;
  options.application_name = "orderctl setup";
  options.answer_timeout_ms = 0;  // a database may take long to be made
  return options;
}

std::vector<std::string> provision(Connection& superuser, const Target& target) {
  std::vector<std::string> made;
  const std::string role = identifier(superuser, target.role);
  if (!superuser.run(role_exists, Args().text(target.role)).boolean(0, 0)) {
    superuser.script("create role " + role + " login");
    made.push_back("made role " + target.role);
  }
  if (!superuser.run(database_exists, Args().text(target.database)).boolean(0, 0)) {
    superuser.script("create database " + identifier(superuser, target.database) + " owner " + role);
    made.push_back("made database " + target.database);
  }
  return made;
}

}  // namespace orderd::store
