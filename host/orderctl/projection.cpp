// Verbs about read models.
#include "projection/projector.h"

#include <iostream>

#include "app/wiring.h"
#include "orderctl/verbs.h"

namespace orderd::ctl {
namespace {

int projection_rebuild(Context& context, const Words& words) {
  for (plugins::ProjectionPort* port : context.registry().projections()) {
    if (!words.empty() && port->instance() != words[0]) continue;
    const auto consumer = consumer_name(context.settings(), "projection:" + port->instance());
    projection::rebuild(context.connection(), consumer, *port, [](std::int64_t count) {
      std::cerr << "\r" << count << " events applied" << std::flush;
    });
    std::cerr << "\n";
    std::cout << port->instance() << " is rebuilt\n";
    return 0;
  }
  throw UsageError(words.empty() ? "no projection is configured" : "there is no projection " + words[0]);
}

}  // namespace

std::vector<Verb> projection_verbs() {
  return {{"projection rebuild", "[INSTANCE]",
           "build the read model again from the events, beside the live one, then switch",
           projection_rebuild}};
}

}  // namespace orderd::ctl
