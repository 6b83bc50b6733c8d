#pragma once
#include <cstdint>

namespace orderd::bus {

/// Where a consumer is in one partition: everything up to and including it was taken. -1: nothing yet.
/// Kafka: the record's offset. pglog: order_events.pos. Only the bus that made it can read it.
using Position = std::int64_t;
inline constexpr Position before_first = -1;

/// What was read from the log itself, because the bus lacked it: a position far below all of the bus's own.
inline constexpr Position log_positions_begin = -(std::int64_t{1} << 62);
inline constexpr Position in_log(std::int64_t pos) { return log_positions_begin + pos; }
inline constexpr bool is_in_log(Position position) { return position < before_first; }
inline constexpr std::int64_t log_position(Position position) { return position - log_positions_begin; }

}  // namespace orderd::bus
