#pragma once
// What PostgreSQL does not let the host's role do, and what helps.
#include <map>
#include <string>
#include <vector>

#include "store/connection.h"
#include "store/migrations.h"

namespace orderd::store {

/// The first of the host's tables that the role lacks a right on, with the fix; "" if it has them all. Reads
/// only.
std::string rights_problem(Connection& connection);

/// The same of the tables that plugins' migrations make, by "plugin:<name>".
std::string plugins_rights_problem(Connection& connection,
                                   const std::map<std::string, std::vector<Migration>>& migrations);

/// What to do about a refusal that no waiting mends, by its SQLSTATE; "" for other errors.
std::string refusal_fix(const std::string& sqlstate);

/// One of PostgreSQL's codes, or Connection's where libpq gives none.
inline constexpr const char* sqlstate_no_right = "42501";

}  // namespace orderd::store
