#pragma once
// A batch of events folded to what it changes per order: the first and last version, and the last state.
// Pure.
#include <orderd/plugin.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace orders_read {

using orderd::sdk::EventView;
using orderd::sdk::Verdict;

/// One order's part of a batch.
struct Folded {
  orderd_uuid id{};
  std::int32_t first = 0, last = 0;  // versions, without a gap between
  std::int64_t created_ms = 0, updated_ms = 0;
  std::int16_t status = 0, payment_status = 0;
  std::string customer_id, members;  // of version 1 only
  std::string payment, reason;       // JSON; reason "" when no event of the batch had one
  std::vector<std::size_t> events;   // indexes of the batch that are folded in here
};

/// Numbers as the column contract has them (README.md); throws for a name that is none.
std::int16_t status_number(std::string_view name);
std::int16_t payment_status_number(std::string_view name);

/// The raw text of a top-level member of a JSON object, "" if there is none. The text is an event's payload:
/// valid JSON.
std::string_view raw_member(std::string_view object, std::string_view name);

/// Orders in order of id. An event that does not follow the one before it in the batch gets its verdict here:
/// an older version is a duplicate, a newer one a gap.
std::vector<Folded> fold(const std::vector<EventView>& events, std::vector<Verdict>& verdicts);

}  // namespace orders_read
