#pragma once
// How a build of a plugin comes to this machine: judged by orderd-plugin-check, copied into the store by its
// digest, made known. [any thread; takes as long as the checks, a minute at most]
#include <filesystem>
#include <functional>
#include <string>

#include "admin/builds.h"
#include "plugin_host/loading/build_store.h"
#include "plugin_host/loading/options.h"

namespace orderd::admin {

struct InstallWish {
  BuildRequest wish;               // its digest is not read
  plugins::InstanceConfig plugin;  // the instance that the build is for, with its settings
  std::filesystem::path file;
  bool forced = false;               // without the checks
  plugins::LibrarySource present{};  // where the instance's configured library lies
};
/// `told` gets the checks' report, line by line; `connect` is called when the database is needed. Refused
/// with what the checks found, or when no host could use it: its settings' schema refuses what is configured,
/// or it lacks what the configured library does; PluginError if it is no plugin at all, std::runtime_error if
/// the store cannot be written.
BuildAnswer install(InstallWish wish, const plugins::BuildStore& store,
                    const std::function<store::Connection&()>& connect,
                    const std::function<void(const std::string& line)>& told);

}  // namespace orderd::admin
