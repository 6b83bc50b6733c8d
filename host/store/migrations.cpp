#include "store/migrations.h"

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

}  // namespace

std::vector<Migration> migrate(Connection& connection, const std::string& owner,
                               const std::vector<Migration>& migrations) {
  std::vector<Migration> done;
  connection.script("begin");
  try {
    connection.script("set local lock_timeout = '60s'");
    connection.script(lock_sql);
    connection.script(table_sql);
    const Rows applied = connection.run(applied_migrations, Args().text(owner));
    if (applied.size() > static_cast<int>(migrations.size()))
      throw std::runtime_error("the database has " + label(owner, applied.size()) +
                               ", this program knows only " + std::to_string(migrations.size()) +
                               ": it is older than the schema; install the newer version");
    for (int i = 0; i < static_cast<int>(migrations.size()); ++i) {
      const Migration& migration = migrations[static_cast<std::size_t>(i)];
      const std::string checksum = sha256_hex(migration.sql);
      if (i < applied.size()) {
        if (applied.bytes(i, 1) != checksum)
          throw std::runtime_error(label(owner, migration.number) +
                                   " was applied with another text than this program's: "
                                   "restore the database or the program that belongs to it");
        continue;
      }
      connection.script(migration.sql);
      connection.run(insert_migration,
                     Args().text(owner).int4(migration.number).text(migration.name).text(checksum));
      done.push_back(migration);
    }
    connection.script("commit");
  } catch (...) {
    if (connection.usable()) connection.script("rollback");
    throw;
  }
  return done;
}

std::string schema_problem(Connection& connection) {
  if (!connection.run(migrations_table_exists).boolean(0, 0))
    return "the database has no orderd schema yet: run `orderctl migrate`";
  const Rows applied = connection.run(applied_migrations, Args().text("orderd"));
  const auto& known = host_migrations();
  if (applied.size() < static_cast<int>(known.size()))
    return "the database schema is at migration " + std::to_string(applied.size()) + " of " +
           std::to_string(known.size()) + ": run `orderctl migrate`";
  if (applied.size() > static_cast<int>(known.size()))
    return "the database schema is newer (migration " + std::to_string(applied.size()) +
           ") than this program (" + std::to_string(known.size()) + "): install the newer orderd";
  for (int i = 0; i < applied.size(); ++i)
    if (applied.bytes(i, 1) != sha256_hex(known[static_cast<std::size_t>(i)].sql))
      return label("orderd", i + 1) +
             " in the database differs from this program's: they do not belong together";
  return "";
}

}  // namespace orderd::store
