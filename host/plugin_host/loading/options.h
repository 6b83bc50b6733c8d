#pragma once
// What plugins are loaded with, out of the configuration.
#include <filesystem>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/descriptor.h"
#include "plugin_host/loading/trust.h"

namespace orderd::plugins {

struct InstanceConfig {
  std::string name;               // "payment", "stripe-eu"
  std::filesystem::path library;  // absolute, or relative to Options::directory
  std::map<std::string, std::string> settings;
  /// Ids that the host will need of it: "orderd.step/1", or one of several:
  /// "orderd.step/1|orderd.projection/1". A missing one is an error.
  std::vector<std::string> extensions;
  /// Settings that the host read from files: taken as they are, and masked in what the plugin logs.
  std::map<std::string, std::string> secrets{};
  /// In a process of its own (plugin.<instance>.isolation = process), with this much memory.
  bool isolated = false;
  unsigned memory_mb = 512;
  /// Threads that call execute() of an external step: one that hangs holds only its own. 0: whoever has the
  /// commands calls it, without a thread to wake; one that hangs then holds the saga.
  unsigned threads = 2;
  /// The build has run before these settings were written: those that its schema does not know are left out.
  bool older = false;
};

struct Options {
  std::filesystem::path directory;  // where libraries may come from; a path outside it is refused
  std::string host_version;         // what plugins see
  std::filesystem::path store{};    // builds by digest (build_store.h); "": none
  std::string log_level = "info", log_format = "text";  // of isolated plugins' processes
  Trust trust{};                                        // whose code is loaded
  /// orderd-plugin-runner as it was when this program began: after an upgrade of the package the file is of
  /// another version, and speaks another language. {}: the Registry opens it.
  std::shared_ptr<const Descriptor> runner{};
  /// The host is ending: nobody waits for a process that is being made. The Registry's own.
  std::stop_token host_ends{};
  /// Per instance, commands waiting to be handed over; more are RETRY at once.
  std::size_t commands_queued_max = 10'000;
  /// For commands in flight when stopping; what is then open is UNKNOWN.
  Millis stop_limit{10'000};
};

}  // namespace orderd::plugins
