#pragma once
// One host: its parts in the order of the flow (host/README.md), started one after the other, torn down in
// reverse.
#include <functional>

#include "app/reload.h"

namespace orderd {

struct ServeOptions {
  bool only_check = false;                   // load everything, judge it, start nothing
  std::function<void()> on_started = [] {};  // from here on an exception is no error of the configuration
};

/// Runs until the process is asked to stop; the exit code. Throws what a part cannot start with:
/// config::ConfigError, plugins::PluginError, saga::DefinitionError, saga::RouteError, NoPermission,
/// http::front::PortInUse. Nothing is left half started. [main thread]
int serve(Reload& reload, const ServeOptions& options);

}  // namespace orderd
