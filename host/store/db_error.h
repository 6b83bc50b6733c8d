#pragma once
#include <stdexcept>
#include <string>

namespace orderd::store {

/// A statement that PostgreSQL refused, or a session that broke. After `connection_lost` the connection is
/// good for nothing: destroy it. Never show `what()` to a client.
class DbError : public std::runtime_error {
 public:
  DbError(const std::string& message, std::string state, bool lost)
      : std::runtime_error(message), sqlstate(std::move(state)), connection_lost(lost) {}
  const std::string sqlstate;  // five characters, "" when there was no answer
  const bool connection_lost;
};

/// SQLSTATEs of orderd_expect() (migration 0001): somebody else owns the shard; a row is not as it was read.
inline constexpr const char* sqlstate_stale_owner = "OD001";
inline constexpr const char* sqlstate_version_conflict = "OD002";

}  // namespace orderd::store
