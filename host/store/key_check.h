#pragma once
// Another secrets.key than before is noticed at the start, not when a payment's secret does not open.
#include <string>

#include "store/connection.h"
#include "store/secret_box.h"

namespace orderd::store {

/// What is wrong with `box`'s key for this database, with the fix; "" if it is the one, or if no key was
/// remembered yet. Reads only.
std::string key_problem(Connection& connection, const SecretBox& box, const std::string& path);
/// The same where there is no file at `path`: whether this database knows a key already.
std::string missing_key_problem(Connection& connection, const std::string& path);
/// As key_problem(), and remembers the first key.
std::string remember_key(Connection& connection, const SecretBox& box, const std::string& path);

}  // namespace orderd::store
