#pragma once
// The net below the log: orders that are open while nothing works on them, whatever the cause. Looked for in
// `order_state` itself, newest first, some hundred rows a second: the work does not grow with their number.
#include <set>
#include <string>
#include <vector>

#include "saga/storage/records.h"
#include "store/connection.h"

namespace orderd::saga {

/// Adds to `out` those among the `count` orders before `before`, or the newest; where to go on, if there are
/// more. An order counts when its newest event is older than half a minute and `consumer` has read that far.
/// Throws DbError.
ForgottenCursor forgotten_page(store::Connection& connection, const std::string& consumer,
                               const std::vector<std::int16_t>& shards, const ForgottenCursor& before,
                               std::int64_t count, std::vector<Forgotten>& out);

/// Those of the newest orders, and of the next part of a round over all. Throws DbError.
std::vector<Forgotten> find_forgotten(store::Connection& connection, const std::string& consumer,
                                      const std::set<std::int16_t>& shards, ForgottenCursor& cursor);

}  // namespace orderd::saga
