#pragma once
// What PostgreSQL does not let the host's role do, and what helps.
#include <string>

#include "store/connection.h"

namespace orderd::store {

/// The first of the host's tables that the role lacks a right on, with the fix; "" if it has them all. Reads
/// only.
std::string rights_problem(Connection& connection);

/// What to do about a refusal that no waiting mends, by its SQLSTATE; "" for other errors.
std::string refusal_fix(const std::string& sqlstate);

/// Of PostgreSQL's codes, or of Connection where libpq tells none.
inline constexpr const char* sqlstate_no_right = "42501";

}  // namespace orderd::store
