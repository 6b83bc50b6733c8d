#pragma once
// The schema's history: numbered SQL texts, applied once each, in order, under a lock, remembered with a
// checksum.
#include <string>
#include <vector>

#include "store/connection.h"

namespace orderd::store {

struct Migration {
  int number = 0;  // rising
  std::string name;
  std::string sql;

  /// Its first line says `-- compatible: yes`: programs that do not know it work with it. Of the host's own
  /// alone; plugins' always are.
  bool compatible() const;
};

/// The host's own migrations, built in from host/store/migrations/*.sql.
const std::vector<Migration>& host_migrations();

/// What a database that knows more migrations than this program is.
enum class Newer {
  refused,   // an error: the host's own schema
  accepted,  // of plugins: an older build goes on working beside a newer one, or after it
};

/// Compatible migrations of the host stand in orderd_migrations under an owner of their own, so that a
/// program from before there were any finds the schema it knows (docs/adr/0015).
inline constexpr const char* host_owner = "orderd";
inline constexpr const char* compatible_owner = "orderd/compatible";

/// Brings the schema of `owner` ("orderd" for the host, "plugin:<name>" for a plugin) up to date; returns
/// what was applied. Throws DbError, or std::runtime_error with one clear line: an applied text was changed
/// afterwards, or the database knows a newer one than this program, and that is refused.
std::vector<Migration> migrate(Connection& connection, const std::string& owner,
                               const std::vector<Migration>& migrations, Newer newer = Newer::refused);

/// How the database stands to what this program knows of one owner's schema. Reads only.
struct SchemaState {
  std::vector<Migration> pending;  // not applied yet, in order
  std::string problem;  // why none may be applied: newer than this program, or changed; "" for none
};
SchemaState schema_state(Connection& connection, const std::string& owner,
                         const std::vector<Migration>& migrations);

/// Applies what is pending of the host's schema if there is a schema and all of it is compatible: what a host
/// may do as it starts, beside hosts of the version before. Returns what was applied; throws as migrate().
std::vector<Migration> apply_compatible(Connection& connection, const std::vector<Migration>& migrations);

/// "" when this program can work with the host's schema; else one line for a person: what is wrong, what to
/// do.
std::string schema_problem(Connection& connection,
                           const std::vector<Migration>& migrations = host_migrations());

}  // namespace orderd::store
