#pragma once
// One build of one plugin instance: its library made into an instance, with the ports on it. An instance has
// one build, or, while the plugin is being replaced, several side by side.
#include <memory>

#include "plugin_host/external_step.h"
#include "plugin_host/options.h"
#include "plugin_host/transactional_ports.h"
#include "plugin_host/webhook_reader.h"

namespace orderd::plugins {

class Build {
 public:
  /// Creates and initialises it. Throws PluginError, also if it lacks an extension of config.extensions.
  Build(const InstanceConfig& config, Library library, const Options& options);

  const std::string& digest() const { return instance_.digest(); }
  Instance& instance() { return instance_; }
  /// nullptr where the plugin has no such side.
  StepPort* step();
  PluginProjection* projection() { return projection_.get(); }
  PluginCatalog* catalog() { return catalog_.get(); }
  WebhookReader* webhook() { return webhook_.get(); }
  /// Which state blobs it can read; 0, 0: none.
  std::pair<std::uint32_t, std::uint32_t> state_versions() const { return state_versions_; }

  /// Throws PluginError.
  void start(const CompletionSink& sink);
  /// Waits for what is in flight, then stops it. False: it holds a thread of the host; it can then neither be
  /// stopped nor destroyed, and stays as it is.
  bool stop();
  bool stuck() const { return stuck_; }

 private:
  Instance instance_;  // made first and goes last
  std::pair<std::uint32_t, std::uint32_t> state_versions_;
  std::unique_ptr<ExternalStep> external_;
  std::unique_ptr<TransactionalStep> transactional_;
  std::unique_ptr<PluginProjection> projection_;
  std::unique_ptr<PluginCatalog> catalog_;
  std::unique_ptr<WebhookReader> webhook_;
  bool stuck_ = false;
};

/// Throws PluginError unless the instance has all of `needs`.
void check_needs(const Instance& instance, const std::vector<std::string>& needs);

}  // namespace orderd::plugins
