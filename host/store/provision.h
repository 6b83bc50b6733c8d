#pragma once
// A role and a database for orderd in the PostgreSQL of this machine, made through its local socket.
#include <string>
#include <vector>

#include "store/connection.h"

namespace orderd::store {

/// What a connection string names; `role` and `database` as given there, else "orderd".
struct Target {
  std::string host, port, role, database;
  bool local_socket = false;
};
/// Throws DbError for a string that libpq does not understand.
Target target_of(const std::string& url);

/// The superuser's own way into the same server.
ConnectionOptions superuser_of(const Target& target);
/// Makes what is missing, one line for each; both stay as they are if they exist.
std::vector<std::string> provision(Connection& superuser, const Target& target);

}  // namespace orderd::store
