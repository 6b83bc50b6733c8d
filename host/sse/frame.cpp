#include "sse/frame.h"

#include <algorithm>
#include <charconv>

namespace orderd::sse {
namespace {

/// How long a client waits before it connects again.
constexpr std::string_view retry_line = "retry: 2000\n\n";

}  // namespace

Frame frame(const Uuid& order_id, const HistoryEntry& entry) {
  // JSON has no line breaks of its own, so data is one line.
  return {order_id, entry.version, is_terminal(entry.status),
          "id: " + std::to_string(entry.version) + "\nevent: status\ndata: " + stream_json(order_id, entry) +
              "\n\n"};
}

std::optional<Frame> frame(const Event& event) {
  const auto head = read_head(event);
  if (!head) return std::nullopt;
  return frame(event.order_id,
               {event.version, head->status, head->payment.status, event.at, reason_json(head->reason)});
}

std::optional<std::int32_t> parse_last_event_id(std::string_view text) {
  std::int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text[0] == '-' || error != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

Beginning begin_stream(const Uuid& order_id, const std::vector<HistoryEntry>& history,
                       std::optional<std::int32_t> last_event_id) {
  const HistoryEntry& present = history.back();
  const std::int32_t after = last_event_id ? std::min(*last_event_id, present.version) : present.version - 1;
  Beginning beginning;
  beginning.version = present.version;
  beginning.ends = is_terminal(present.status);
  beginning.nothing_left = beginning.ends && after == present.version;
  beginning.bytes = retry_line;
  for (const HistoryEntry& entry : history)
    if (entry.version > after) beginning.bytes += frame(order_id, entry).bytes;
  return beginning;
}

}  // namespace orderd::sse
