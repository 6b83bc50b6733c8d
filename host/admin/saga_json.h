#pragma once
// Sagas as the operator's API shows them. Pure.
#include <string>
#include <vector>

#include "admin/records.h"
#include "admin/verbs.h"
#include "model/event.h"

namespace orderd::admin {

/// One row of a list. `slots` tell which plugin a step asks.
std::string summary_json(const Uuid& id, const Record& record, const Slots& slots, Time now);

/// A row of audit_log about an order.
struct AuditRow {
  Time at{};
  std::string actor, verb, reason, data;
};
/// What is known of one order besides its saga.
struct Past {
  std::vector<Event> events;
  std::vector<AuditRow> audit;
};
/// The summary, what is open in every detail, each step, and a timeline of calls, notices, verbs, events and
/// audit rows, oldest first.
std::string detail_json(const Uuid& id, const Record& record, const Past& past, const Slots& slots, Time now);

/// {"orderId":…,"verb":…,"accepted":…,…}
std::string judged_json(const Judged& judged, saga::Verb::Kind verb, bool dry_run);

}  // namespace orderd::admin
