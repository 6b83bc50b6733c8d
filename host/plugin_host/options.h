#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "plugin_host/trust.h"

namespace orderd::plugins {

struct InstanceConfig {
  std::string name;               // "payment", "stripe-eu"
  std::filesystem::path library;  // absolute, or relative to Options::directory
  std::map<std::string, std::string> settings;
  /// Ids that the host will need of it: "orderd.step/1". A missing one is an error.
  std::vector<std::string> extensions;
  /// Settings that the host read from files: taken as they are, and masked in what the plugin logs.
  std::map<std::string, std::string> secrets{};
  /// In a process of its own (plugin.<instance>.isolation = process), with this much memory.
  bool isolated = false;
  unsigned memory_mb = 512;
};

struct Options {
  std::filesystem::path directory;  // where libraries may come from; a path outside it is refused
  std::string host_version;         // what plugins see
  std::filesystem::path store{};    // builds by digest (build_store.h); "": none
  std::string log_level = "info", log_format = "text";  // of isolated plugins' processes
  Trust trust{};                                        // whose code is loaded
  /// Per instance, commands waiting to be handed over; more are RETRY at once.
  std::size_t commands_queued_max = 10'000;
  /// Threads that call execute(); a plugin that hangs holds only its own.
  std::size_t threads_per_instance = 2;
  /// For commands in flight when stopping; what is then open is UNKNOWN.
  Millis stop_limit{10'000};
};

}  // namespace orderd::plugins
