#pragma once
// What a database or the way to it must be, so that orderd's statements mean what they say.
#include <string>

#include "store/connection.h"

namespace orderd::store {

/// What is wrong with the surroundings, and what to do about it; both "" if nothing is.
struct Unfit {
  std::string problem, fix;
  bool found() const { return !problem.empty(); }
  /// "problem: fix".
  std::string line() const { return problem + ": " + fix; }
};

/// The database's encoding, the isolation of transactions, and whether a session stays with one server
/// process although postgres.pooled is no (opens two sessions for it). Throws DbError if it cannot connect.
Unfit unfit_database(const ConnectionOptions& options);

/// Settings with which PostgreSQL forgets what it has answered: fsync, full_page_writes, synchronous_commit.
Unfit forgetful_server(Connection& connection);

}  // namespace orderd::store
