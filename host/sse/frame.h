#pragma once
// The bytes of a stream (WHATWG HTML, "Server-sent events"). Pure. [any thread]
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/order_json.h"

namespace orderd::sse {

/// One version of an order as every stream of it sends it.
struct Frame {
  Uuid order_id;
  std::int32_t version = 0;
  bool last = false;  // CANCELLED or REJECTED: the stream ends behind it
  std::string bytes;  // id, event and data
};
Frame frame(const Uuid& order_id, const HistoryEntry& entry);
/// nullopt if the event's payload is damaged.
std::optional<Frame> frame(const Event& event);

/// Digits without sign, 0 to 2³¹−1; nullopt for anything else.
std::optional<std::int32_t> parse_last_event_id(std::string_view text);

/// How a stream begins.
struct Beginning {
  std::string bytes;
  std::int32_t version = 0;   // the last one the client then has
  bool ends = false;          // nothing can follow `bytes`
  bool nothing_left = false;  // the client has all there will ever be: 204
};
/// `history`: all of it, not empty. Without `last_event_id` the stream begins with the present state, else
/// with every version after it. An id beyond the present state counts as the present state.
Beginning begin_stream(const Uuid& order_id, const std::vector<HistoryEntry>& history,
                       std::optional<std::int32_t> last_event_id);

}  // namespace orderd::sse
