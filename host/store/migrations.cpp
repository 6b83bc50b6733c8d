#include "store/migrations.h"

#include <algorithm>

#include "base/sha256.h"

namespace orderd::store {
namespace {

constexpr Statement applied_migrations{
    "applied_migrations",
    "select number, checksum, owner from orderd_migrations where owner in ($1, $2) order by number"};
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

/// The owner that a migration is remembered under.
std::string owner_of(const std::string& owner, const Migration& migration) {
  return owner == host_owner && migration.compatible() ? compatible_owner : owner;
}

Rows read_applied(Connection& connection, const std::string& owner) {
  return connection.run(applied_migrations,
                        Args().text(owner).text(owner == host_owner ? compatible_owner : owner));
}

/// What `applied`, the numbers, checksums and owners in the database, leaves to do.
SchemaState compare(const Rows& applied, const std::string& owner, const std::vector<Migration>& migrations,
                    Newer newer) {
  SchemaState state{migrations, ""};
  for (int i = applied.size() - 1; i >= 0; --i) {  // the newest first: what came later explains the rest
    const int number = static_cast<int>(applied.integer(i, 0));
    const auto known = std::find_if(state.pending.begin(), state.pending.end(),
                                    [&](const Migration& migration) { return migration.number == number; });
    if (known == state.pending.end()) {
      if (newer == Newer::accepted || applied.bytes(i, 2) == compatible_owner) continue;
      return {{},
              "the schema of " + owner + " in the database is newer (migration " + std::to_string(number) +
                  ") than this program (" +
                  std::to_string(migrations.empty() ? 0 : migrations.back().number) +
                  "), and does not work with programs before it: install the newer " + owner};
    }
    if (applied.bytes(i, 1) != sha256_hex(known->sql))
      return {{},
              label(owner, number) +
                  " in the database differs from this program's: restore the database or the program that "
                  "belongs to it"};
    state.pending.erase(known);
  }
  return state;
}

bool all_compatible(const std::vector<Migration>& migrations) {
  return std::all_of(migrations.begin(), migrations.end(),
                     [](const Migration& migration) { return migration.compatible(); });
}

std::vector<Migration> apply(Connection& connection, const std::string& owner,
                             const std::vector<Migration>& migrations, Newer newer, const char* lock_wait) {
  const Connection::Patience patience(connection);
  connection.script("begin");
  try {
    connection.script(std::string("set local lock_timeout = '") + lock_wait + "'");
    connection.script(lock_sql);
    connection.script(table_sql);
    auto state = compare(read_applied(connection, owner), owner, migrations, newer);
    if (!state.problem.empty()) throw std::runtime_error(state.problem);
    for (const Migration& migration : state.pending) {
      connection.script(migration.sql);
      connection.run(insert_migration, Args()
                                           .text(owner_of(owner, migration))
                                           .int4(migration.number)
                                           .text(migration.name)
                                           .text(sha256_hex(migration.sql)));
    }
    connection.script("commit");
    return std::move(state.pending);
  } catch (...) {
    if (connection.usable()) connection.script("rollback");
    throw;
  }
}

}  // namespace

bool Migration::compatible() const {
  constexpr std::string_view mark = "-- compatible: yes\n";
  return std::string_view(sql).substr(0, mark.size()) == mark;
}

SchemaState schema_state(Connection& connection, const std::string& owner,
                         const std::vector<Migration>& migrations) {
  if (!connection.run(migrations_table_exists).boolean(0, 0)) return {migrations, ""};
  return compare(read_applied(connection, owner), owner, migrations, Newer::refused);
}

std::vector<Migration> migrate(Connection& connection, const std::string& owner,
                               const std::vector<Migration>& migrations, Newer newer) {
  return apply(connection, owner, migrations, newer, "60s");
}

std::vector<Migration> apply_compatible(Connection& connection, const std::vector<Migration>& migrations) {
  const SchemaState state = schema_state(connection, host_owner, migrations);
  if (!state.problem.empty() || state.pending.empty() || state.pending.size() == migrations.size() ||
      !all_compatible(state.pending))
    return {};
  // Hosts are at work on these tables: who waits longer for a lock holds them all up.
  return apply(connection, host_owner, migrations, Newer::refused, "2s");
}

std::string schema_problem(Connection& connection, const std::vector<Migration>& known) {
  const SchemaState state = schema_state(connection, host_owner, known);
  if (!state.problem.empty()) return state.problem;
  if (state.pending.size() == known.size())
    return "the database has no orderd schema yet: run `orderctl migrate apply`";
  if (!state.pending.empty())
    return "the database schema lacks " + std::to_string(state.pending.size()) + " of " +
           std::to_string(known.size()) + " migrations, first " + state.pending.front().name +
           ": run `orderctl migrate apply`";
  return "";
}

}  // namespace orderd::store
