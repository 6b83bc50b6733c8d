#pragma once
// Plugin instances that no new order goes to and that orders of the past still need. [the connection's
// thread]
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "store/connection.h"

namespace orderd::admin {

struct Need {
  std::string instance;
  std::int64_t in_flight = 0;  // orders whose saga goes on with it
  std::int64_t confirmed = 0;  // orders that a cancellation would send back to it
  bool more = false;           // `confirmed` was counted no further
};

/// Every instance outside of `serving` that an order in flight or a confirmed one began with. Counts at most
/// 1000 confirmed orders of each, for at most 3 s. Throws DbError.
std::vector<Need> needed_instances(store::Connection& connection, const std::set<std::string>& serving);

/// "3 orders in flight and 12 confirmed ones still need plugin instance payment".
std::string sentence(const Need& need);

}  // namespace orderd::admin
