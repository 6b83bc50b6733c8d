#pragma once
// The table audit_log: who did what to what, and why. A row is written in the transaction of what it tells,
// so there is none without the other.
#include <string>

#include "store/unit_of_work.h"

namespace orderd::auth {

struct Audit {
  std::string actor;    // a caller, "orderctl:<user>", or "local" while no keys are required
  std::string verb;     // "keys.create", "saga.retry", "switch.pause"
  std::string subject;  // an order's id, a caller, a switch
  std::string reason;   // "": none was given
  std::string data = "{}";
};
/// Queues the row.
void write_audit(store::UnitOfWork& work, const Audit& audit);

}  // namespace orderd::auth
