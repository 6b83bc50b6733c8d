#pragma once
#include <orderd/step.h>

#include "plugin_host/loading/instance.h"

namespace orderd::plugins {

/// What kind of step an instance is. Throws PluginError if its table has holes, or contradicts itself.
orderd_step_traits describe_step(const Instance& instance);

}  // namespace orderd::plugins
