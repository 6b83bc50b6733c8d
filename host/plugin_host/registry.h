#pragma once
// All plugin instances of this host, from configuration to their end. Made by main before anything else
// starts.
//
// 1. The constructor loads every library, makes and initialises every instance, checks what each is needed
//    for. The first thing wrong is thrown as PluginError, one line: which plugin, which file, what, what to
//    do. Nothing is left half started: what was made is destroyed again.
// 2. migrate() brings the plugins' own tables up to date; start() starts the instances.
// 3. stop() waits for what is in flight, then stops them; libraries stay mapped until the process
//    ends.
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugin_host/error.h"
#include "plugin_host/ports.h"
#include "plugin_host/webhook_port.h"

namespace orderd::store {
class Connection;
struct Migration;
}  // namespace orderd::store

namespace orderd::plugins {

struct InstanceConfig {
  std::string name;               // "payment", "stripe-eu"
  std::filesystem::path library;  // absolute, or relative to Options::directory
  std::map<std::string, std::string> settings;
  /// Ids that the host will need of it: "orderd.step/1". A missing one is an error.
  std::vector<std::string> extensions;
  /// Settings that the host read from files: taken as they are, and masked in what the plugin logs.
  std::map<std::string, std::string> secrets{};
};

struct Options {
  std::filesystem::path directory;  // where libraries may come from; a path outside it is refused
  std::string host_version;         // what plugins see
  /// Per instance, commands waiting to be handed over; more are RETRY at once.
  std::size_t commands_queued_max = 10'000;
  /// Threads that call execute(); a plugin that hangs holds only its own.
  std::size_t threads_per_instance = 2;
  /// For commands in flight when stopping; what is then open is UNKNOWN.
  Millis stop_limit{10'000};
};

/// start(), stop() and the constructor: main thread. Ports: as their own comments say.
class Registry {
 public:
  Registry(Options options, const std::vector<InstanceConfig>& configs);
  ~Registry();
  Registry(const Registry&) = delete;

  /// The instance as a step; PluginError if there is no such instance or it is no step.
  StepPort& step(std::string_view instance);
  /// Every instance that offers a projection, a catalog, in the order of the configuration.
  std::vector<ProjectionPort*> projections();
  std::vector<CatalogPort*> catalogs();
  /// The instance's reader of webhooks; nullptr if there is no such instance or it takes none.
  WebhookPort* webhook(std::string_view instance);
  std::vector<WebhookPort*> webhooks();

  /// What plugins want in the database, by the owner "plugin:<name>".
  std::map<std::string, std::vector<store::Migration>> migrations() const;
  /// Brings every plugin's own tables up to date: store::migrate() with the owner "plugin:<name>".
  void migrate(store::Connection& connection);
  /// Starts every instance; PluginError if one refuses, after stopping those that did start.
  void start(CompletionSink sink);
  void stop();

  struct Info {
    std::string instance, plugin, version, vendor, library, digest;
    std::vector<std::string> extensions;
  };
  /// For the console and the log.
  std::vector<Info> infos() const;

 private:
  struct Entry;
  const Options options_;
  std::vector<std::unique_ptr<Entry>> entries_;  // constant after construction
};

}  // namespace orderd::plugins
