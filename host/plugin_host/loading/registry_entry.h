#pragma once
#include "plugin_host/loading/current_ports.h"
#include "plugin_host/loading/registry.h"

namespace orderd::plugins {

/// What did not load, or start, and when it is time for the next try.
struct Registry::Tried {
  bool loading = false;
  int failures = 0;
  Millis next{0};  // steady
  std::string problem;
};
struct Registry::Unstarted {
  Entry* entry;
  Build* build;
  Tried tried;
};

/// One instance of the configuration, and its builds.
struct Registry::Entry {
  explicit Entry(InstanceConfig of) : config(std::move(of)) {}
  /// One that runs, or nullptr.
  Build* find(const std::string& digest) const {
    for (const auto& build : builds)
      if (build->digest() == digest) return build.get();
    return nullptr;
  }

  const InstanceConfig config;
  std::map<std::string, Tried> tried;          // by digest: builds that did not load; guarded by mutex_
  std::vector<std::unique_ptr<Build>> builds;  // those that run; guarded by mutex_
  std::vector<std::unique_ptr<Build>>
      retired;  // stopped: calls may still return into them; guarded by mutex_
  CurrentBuild current{nullptr};
  CurrentStep step{current};
  CurrentWebhook webhook{current};
  CurrentProjection projection{current};
  CurrentCatalog catalog{current};
};

[[noreturn]] inline void unknown_instance(std::string_view name) {
  throw PluginError("no plugin is configured as \"" + std::string(name) + "\"; add one with this name");
}

}  // namespace orderd::plugins
