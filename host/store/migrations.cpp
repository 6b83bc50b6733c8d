#include "store/migrations.h"

#include <algorithm>

#include "base/sha256.h"

namespace orderd::store {
namespace {

constexpr Statement applied_migrations{
    "applied_migrations", "select number, checksum from orderd_migrations where owner = $1 order by number"};
constexpr Statement insert_migration{
    "insert_migration",
    "insert into orderd_migrations (owner, number, name, checksum) values ($1, $2, $3, $4)"};
constexpr Statement migrations_table_exists{"migrations_table_exists",
                                            "select to_regclass('orderd_migrations') is not null"};

// Any constant that no other application on this database uses; serialises migrations of all hosts.
constexpr const char* lock_sql = "select pg_advisory_xact_lock(7236817342551)";
constexpr const char* table_sql =
    "create table if not exists orderd_migrations (owner text not null, number int not null, name text not "
    "null, "
    "checksum text not null, applied_at timestamptz not null default now(), primary key (owner, number))";

std::string label(const std::string& owner, int number) {
  return "migration " + std::to_string(number) + " of " + owner;
}

/// What `applied`, the numbers and checksums in the database, leaves to do.
SchemaState compare(const Rows& applied, const std::string& owner, const std::vector<Migration>& migrations,
                    Newer newer) {
  const int known = static_cast<int>(migrations.size());
  if (applied.size() > known && newer == Newer::refused)
    return {{},
            "the schema of " + owner + " in the database is newer (migration " +
                std::to_string(applied.size()) + ") than this program (" + std::to_string(migrations.size()) +
                "): install the newer " + owner};
  const int both = std::min(applied.size(), known);
  for (int i = 0; i < both; ++i)
    if (applied.bytes(i, 1) != sha256_hex(migrations[static_cast<std::size_t>(i)].sql))
      return {{},
              label(owner, i + 1) +
                  " in the database differs from this program's: restore the database or the program that "
                  "belongs to it"};
  return {{migrations.begin() + both, migrations.end()}, ""};
}

}  // namespace

SchemaState schema_state(Connection& connection, const std::string& owner,
                         const std::vector<Migration>& migrations) {
  if (!connection.run(migrations_table_exists).boolean(0, 0)) return {migrations, ""};
  return compare(connection.run(applied_migrations, Args().text(owner)), owner, migrations, Newer::refused);
}

std::vector<Migration> migrate(Connection& connection, const std::string& owner,
                               const std::vector<Migration>& migrations, Newer newer) {
  const Connection::Patience patience(connection);
  connection.script("begin");
  try {
    connection.script("set local lock_timeout = '60s'");
    connection.script(lock_sql);
    connection.script(table_sql);
    auto state = compare(connection.run(applied_migrations, Args().text(owner)), owner, migrations, newer);
    if (!state.problem.empty()) throw std::runtime_error(state.problem);
    for (const Migration& migration : state.pending) {
      connection.script(migration.sql);
      connection.run(
          insert_migration,
          Args().text(owner).int4(migration.number).text(migration.name).text(sha256_hex(migration.sql)));
    }
    connection.script("commit");
    return std::move(state.pending);
  } catch (...) {
    if (connection.usable()) connection.script("rollback");
    throw;
  }
}

std::string schema_problem(Connection& connection) {
  const auto& known = host_migrations();
  const SchemaState state = schema_state(connection, "orderd", known);
  if (!state.problem.empty()) return state.problem;
  if (state.pending.size() == known.size())
    return "the database has no orderd schema yet: run `orderctl migrate apply`";
  if (!state.pending.empty())
    return "the database schema is at migration " + std::to_string(known.size() - state.pending.size()) +
           " of " + std::to_string(known.size()) + ": run `orderctl migrate apply`";
  return "";
}

}  // namespace orderd::store
