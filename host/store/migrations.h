#pragma once
// The schema's history: numbered SQL texts, applied once each, in order, under a lock, remembered with a
// checksum.
#include <string>
#include <vector>

#include "store/connection.h"

namespace orderd::store {

struct Migration {
  int number = 0;  // from 1, without gaps
  std::string name;
  std::string sql;
};

/// The host's own migrations, built in from host/store/migrations/*.sql.
const std::vector<Migration>& host_migrations();

/// What a database that knows more migrations than this program is.
enum class Newer {
  refused,   // an error: the host's own schema
  accepted,  // of plugins: an older build goes on working beside a newer one, or after it
};

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

/// "" when the host's schema is exactly the one this program knows; else one line for a person: what is
/// wrong, what to do.
std::string schema_problem(Connection& connection);

}  // namespace orderd::store
