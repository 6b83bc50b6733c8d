#pragma once
// A build tried in a process of its own before anybody relies on it. [any thread; waits for the process]
#include <filesystem>
#include <memory>
#include <string>

#include "plugin_host/isolation/messages.h"
#include "plugin_host/loading/library.h"
#include "plugin_host/loading/options.h"

namespace orderd::plugins::isolation {

/// The runner beside this program, as in a build tree, or where packages put it. One that is not there shows
/// when it is to run.
std::shared_ptr<const Descriptor> open_runner();

/// What a build's process begins with.
Begin begin_of(const InstanceConfig& config, const LibraryFile& file, const Options& options);

/// What a build says of itself, by an instance of it in a process of its own. Throws PluginError: it cannot
/// be used with these settings.
Hello describe(const InstanceConfig& config, const LibrarySource& source,
               const std::filesystem::path& library, const std::string& digest, const Options& options);

/// Loads the build and makes an instance of it in a process of its own, perhaps starts it, and ends it.
/// Throws PluginError if that does not come to its end: a build that would take this process with it.
enum class Until { made, started };
void try_out(const InstanceConfig& config, const LibrarySource& source, const std::filesystem::path& library,
             const std::string& digest, const Options& options, Until until);

}  // namespace orderd::plugins::isolation
