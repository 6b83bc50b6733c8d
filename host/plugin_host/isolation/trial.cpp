#include "plugin_host/isolation/trial.h"

#include "plugin_host/isolation/process.h"

namespace orderd::plugins::isolation {
Begin begin_of(const InstanceConfig& config, const LibraryFile& file, const Options& options) {
  Begin begin;
  begin.instance = config.name;
  begin.library = file.path.string();
  begin.digest = file.digest;
  begin.host_version = options.host_version;
  begin.log_level = options.log_level;
  begin.log_format = options.log_format;
  begin.settings = config.settings;
  begin.secrets = config.secrets;
  begin.extensions = config.extensions;
  begin.threads = config.threads;
  begin.older = config.older;
  return begin;
}

Hello describe(const InstanceConfig& config, const LibrarySource& source,
               const std::filesystem::path& library, const std::string& digest, const Options& options) {
  const LibraryFile file = judge_library(config.name, source, library, digest);
  Limits limits;
  limits.memory_bytes = 0;
  const Process there(options.runner, file.copy, begin_of(config, file, options), limits, options.host_ends);
  return there.hello();
}

void try_out(const InstanceConfig& config, const LibrarySource& source, const std::filesystem::path& library,
             const std::string& digest, const Options& options, Until until) {
  Limits limits;
  limits.memory_bytes = 0;
  const LibraryFile file = judge_library(config.name, source, library, digest);
  Process there(options.runner, file.copy, begin_of(config, file, options), limits, options.host_ends);
  if (until == Until::made) return;
  Process::Events events;
  events.frame = [](const Received&) { return std::string(); };
  events.up = [] {};
  events.down = [](const std::string&) {};
  there.start(events);
  there.stop(options.stop_limit);
}

}  // namespace orderd::plugins::isolation
