#include "store/fitness.h"

namespace orderd::store {
namespace {

constexpr Statement read_kind{
    "fitness_kind",
    "select getdatabaseencoding()::text, current_setting('transaction_isolation'), current_database()::text"};
constexpr Statement read_process{"fitness_process", "select pg_backend_pid()"};
constexpr Statement read_durability{"fitness_durability",
                                    "select current_setting('fsync'), current_setting('full_page_writes'), "
                                    "current_setting('synchronous_commit')"};

std::int64_t process_of(Connection& connection) { return connection.run(read_process).integer(0, 0); }

/// A pooler in transaction mode gives two clients one process, or one client several. Between transactions no
/// process is held, so a small pool cannot make this wait.
bool is_pooled(Connection& one, Connection& other) {
  const auto first = process_of(one), second = process_of(other);
  return first == second || process_of(other) != second || process_of(one) != first;
}

}  // namespace

Unfit unfit_database(const ConnectionOptions& options) {
  ConnectionOptions plain = options;
  plain.pooled = true;  // no prepared statements: they would fail before anything is found out
  Connection connection(plain);
  const auto kind = connection.run(read_kind);
  const std::string encoding(kind.bytes(0, 0)), isolation(kind.bytes(0, 1)), name(kind.bytes(0, 2));
  if (encoding != "UTF8")
    return {"the database " + name + " has the encoding " + encoding + ", and texts of orders need UTF8",
            "make one with `create database NAME encoding 'UTF8' template template0`, and name it in "
            "postgres.url"};
  if (isolation != "read committed")
    return {"transactions begin as \"" + isolation + "\", and orderd's need \"read committed\"",
            "take default_transaction_isolation out of postgresql.conf, or of the role and database: `alter "
            "role ROLE reset default_transaction_isolation`, `alter database " +
                name + " reset default_transaction_isolation`"};
  if (options.pooled) return {};
  Connection other(plain);
  if (is_pooled(connection, other))
    return {"a pooler in transaction mode is between orderd and PostgreSQL, and postgres.pooled is no",
            "set postgres.pooled = yes, or name PostgreSQL itself in postgres.url"};
  return {};
}

Unfit forgetful_server(Connection& connection) {
  const auto rows = connection.run(read_durability);
  if (rows.bytes(0, 0) != "on" || rows.bytes(0, 1) != "on")
    return {"fsync or full_page_writes is off: a crash of the server loses orders that were acknowledged",
            "turn both on in postgresql.conf"};
  if (rows.bytes(0, 2) == "off")
    return {"synchronous_commit is off: a crash of the server loses orders that were acknowledged",
            "turn it on in postgresql.conf, or where the role or the database turns it off (`alter role ROLE "
            "reset synchronous_commit`)"};
  return {};
}

}  // namespace orderd::store
