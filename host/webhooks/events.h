#pragma once
// What a plugin made of one call, written in one transaction.
#include <string>
#include <vector>

#include "plugin_ports/webhook.h"
#include "store/unit_of_work.h"

namespace orderd::webhooks {

struct KeptEvents {
  int taken = 0, duplicates = 0;
  bool waits = false;  // an event's order is not known yet
};

/// In the caller's transaction: new events of `instance` become notices for their orders' sagas.
KeptEvents keep_events(store::UnitOfWork& work, const std::string& instance,
                       const std::vector<plugins::WebhookEvent>& events);

}  // namespace orderd::webhooks
