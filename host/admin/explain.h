#pragma once
// One paragraph for people: why an order is in this state, what happens next, and when. Pure.
#include <optional>
#include <string>

#include "admin/records.h"
#include "model/order.h"

namespace orderd::admin {

struct Situation {
  OrderHead head;             // of the order's newest event
  std::string held_back;      // why calls to the open step's plugin do not go out; "" if they do
  std::string dead_letter;    // why an event of this order could not be taken by its saga; "" if none
  std::string unpublished{};  // why the broker refuses an event of it; "" if it does not
};
struct Explanation {
  std::string text;
  std::optional<Time> next_at;  // when something happens without anybody's doing
};
Explanation explain(const Record& record, const Situation& situation, const Slots& slots, Time now);

/// "41.88 EUR"
std::string money_text(std::int64_t amount, const std::string& currency);

}  // namespace orderd::admin
