#pragma once
// What readers of another bus need of the log, to notice that their bus lacks something of it, or holds what
// is not in it. [the connection's thread]
#include <map>
#include <string>
#include <vector>

#include "model/event.h"
#include "store/connection.h"

namespace orderd::outbox {

/// How far into the log a consumer has come, at least, by shard.
std::map<std::int16_t, std::int64_t> marks(store::Connection& connection, const std::string& consumer);
/// Moves marks on; one that is further already stays.
void mark(store::Connection& connection, const std::string& consumer,
          const std::map<std::int16_t, std::int64_t>& to);

/// Which log this is: another one after a restore or a failover, so that its positions mean something else.
struct Epoch {
  Uuid id;
  std::string database;  // that it began in: orderd_database()
};
Epoch epoch(store::Connection& connection);

/// The log as readers compare with it.
struct LogState {
  Uuid epoch;
  std::map<std::int16_t, std::int64_t> ends;  // by shard: the last position that was given
  std::map<std::int16_t, std::int64_t>
      published;  // by shard: what the relay saw acknowledged; -1 for nothing
};
LogState log_state(store::Connection& connection, const std::string& relay);

/// Where the log has these events; 0 for one that it has not.
std::vector<std::int64_t> places(store::Connection& connection, const std::vector<const Event*>& events);

}  // namespace orderd::outbox
