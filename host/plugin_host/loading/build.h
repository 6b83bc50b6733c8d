#pragma once
// One build of one plugin instance, with the ports on it. An instance has one build, or, while the plugin is
// being replaced, several side by side; each in this process or in one of its own.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "plugin_host/loading/options.h"
#include "plugin_ports/catalog.h"
#include "plugin_ports/projection.h"
#include "plugin_ports/step.h"
#include "plugin_ports/webhook.h"
#include "store/migrations.h"

namespace orderd::plugins {

/// What one build says of itself.
struct BuildInfo {
  std::string instance, plugin, version, vendor, library, digest;
  std::vector<std::string> extensions;
  bool isolated = false;
  bool current = true;  // by the registry, as `file`:
  std::string file{};   // plugin.<instance>.library, of which `library` may be a copy or another build
};

class Build {
 public:
  virtual ~Build() = default;
  virtual const std::string& digest() const = 0;
  virtual BuildInfo info() const = 0;
  /// nullptr where the plugin has no such side.
  virtual StepPort* step() = 0;
  virtual ProjectionPort* projection() = 0;
  virtual CatalogPort* catalog() = 0;
  virtual WebhookPort* webhook() = 0;
  /// Which state blobs it can read; 0, 0: none.
  virtual std::pair<std::uint32_t, std::uint32_t> state_versions() const = 0;
  /// For tables of its own in the host's database.
  virtual std::vector<store::Migration> migrations() = 0;

  /// Throws PluginError; then commands are RETRY, nothing else is done either, and it may be called again.
  virtual void start(const CompletionSink& sink) = 0;
  /// Waits for what is in flight, then stops it. False: it holds a thread of the host; it can then neither be
  /// stopped nor destroyed, and stays as it is.
  virtual bool stop() = 0;
  virtual bool stuck() const = 0;
};

struct LibrarySource;
/// Loads the library, or the process that loads it, and makes and initialises the instance. Throws
/// PluginError, also if it lacks an extension of config.extensions. `digest` "": whatever the file is.
std::unique_ptr<Build> make_build(const InstanceConfig& config, const LibrarySource& source,
                                  const std::filesystem::path& library, const std::string& digest,
                                  const Options& options);

}  // namespace orderd::plugins
