#pragma once
#include <stdexcept>
#include <string>
#include <string_view>

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

/// What an error of PostgreSQL means for the same work later.
enum class Trouble {
  session,    // this session is over, or can write nothing any more: a new one may do it
  passing,    // the surroundings: locks, room, rights, storage. Tried again for as long as it takes
  permanent,  // these data or this statement will never do
};
/// By SQLSTATE; "" (no answer) is the session's. A code that nobody knows here is passing: what could still
/// succeed is never given up.
Trouble trouble_of(std::string_view sqlstate);
/// Somebody held a row or table: others that need neither may go on.
bool is_locked(std::string_view sqlstate);
/// A few words for people who do not know SQLSTATE: "the database has no room". Never a statement's text.
std::string_view cause_of(std::string_view sqlstate);

/// SQLSTATEs of orderd_expect() (migration 0001): somebody else owns the shard; a row is not as it was read.
inline constexpr const char* sqlstate_stale_owner = "OD001";
inline constexpr const char* sqlstate_version_conflict = "OD002";

}  // namespace orderd::store
