#pragma once
// The log of all orders' events: `order_events` is outbox, history and, with pglog, the bus itself. Only this
// folder writes to it or numbers it.
#include <cstdint>
#include <map>
#include <vector>

#include "base/signal.h"
#include "model/event.h"
#include "store/unit_of_work.h"

namespace orderd::outbox {

/// Queues the events' rows, numbered under each shard's counter lock. Must be the last thing before
/// `commit()`: the counter's lock is the last of any transaction, so positions become visible in order and
/// without gaps. Events of one order stand in version order.
void append(store::UnitOfWork& work, const std::map<std::int16_t, std::vector<Event>>& events_by_shard);

struct Entry {
  std::int16_t shard = 0;
  std::int64_t pos = 0;
  Event event;
};

/// Where to read on in one shard.
struct From {
  std::int16_t shard = 0;
  std::int64_t after = -1;
};

/// Up to `max` entries in all, in order within a shard; shards that stand first in `from` come first.
std::vector<Entry> read(store::Connection& connection, const std::vector<From>& from, int max);
/// The last position given in each shard, by shard.
std::vector<std::int64_t> ends(store::Connection& connection);
/// An order's events behind `after_version`, in version order; with their places in the log.
std::vector<Entry> history(store::Connection& connection, const Uuid& order_id,
                           std::int32_t after_version = 0);

/// Makes the months' partitions of order_events ahead of time; a failure is logged and tried again next time.
void ensure_partitions(const store::ConnectionOptions& options);

/// Raised after each commit that appended, by whoever did it, and by NOTIFYs of other hosts. Readers poll
/// regardless.
Signal& appended();

}  // namespace orderd::outbox
