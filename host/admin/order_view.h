#pragma once
// All that is known of one order, read for a person. [the connection's thread]
#include <optional>

#include "admin/explain.h"
#include "admin/saga_json.h"
#include "store/connection.h"

namespace orderd::admin {

struct OrderView {
  Record record;
  Past past;  // its events, and up to 500 rows of audit_log
  Situation situation;
};
/// nullopt: there is no such order, or its events are damaged.
std::optional<OrderView> view_order(store::Connection& connection, const Uuid& id, const Slots& slots);
/// {"orderId":…,"explanation":…,"status":…,"state":…,"nextAt":…}
std::string explanation_json(const Uuid& id, const OrderView& view, const Explanation& told, Time now);

}  // namespace orderd::admin
