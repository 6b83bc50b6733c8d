#include "plugin_host/loading/loaded_build.h"

#include <orderd/migrations.h>

#include <sstream>

#include "base/log.h"
#include "plugin_host/calling/step_table.h"
#include "plugin_host/isolation/isolated_build.h"
#include "plugin_ports/error.h"
#include "store/migrations.h"

namespace orderd::plugins {

namespace {

/// `needed`: an id, or several with '|' between them, of which one will do.
bool has_one_of(const Instance& instance, const std::string& needed) {
  std::istringstream ids(needed);
  for (std::string id; std::getline(ids, id, '|');)
    if (instance.has(id)) return true;
  return false;
}

std::string spoken(const std::string& needed) {
  std::string out;
  for (const char c : needed) out += c == '|' ? " or " : std::string(1, c);
  return out;
}

void check_needs(const Instance& instance, const std::vector<std::string>& needs) {
  for (const std::string& id : needs) {
    if (has_one_of(instance, id)) continue;
    std::string offered;
    for (const std::string& other : instance.extensions()) offered += (offered.empty() ? "" : ", ") + other;
    fail(instance.name(), instance.library().path,
         std::string(instance.library().descriptor->name) + " has no " + spoken(id) + " (it offers " +
             (offered.empty() ? "nothing" : offered) + ")",
         "configure a plugin that has it");
  }
}

}  // namespace

LoadedBuild::LoadedBuild(const InstanceConfig& config, const Library& library, const Options& options)
    : instance_(config.name, library,
                check_settings(config.name, library, config.settings, config.secrets, config.older),
                options.host_version) {
  check_needs(instance_, config.extensions);
  if (instance_.has(ORDERD_EXT_STEP)) {
    const orderd_step_traits traits = describe_step(instance_);
    state_versions_ = {traits.state_version_min, traits.state_version_max};
    if ((traits.flags & ORDERD_STEP_TRANSACTIONAL) != 0)
      transactional_ = std::make_unique<TransactionalStep>(instance_);
    else
      external_ = std::make_unique<ExternalStep>(instance_, traits, config.threads, options);
  }
  if (instance_.has(ORDERD_EXT_PROJECTION)) projection_ = std::make_unique<PluginProjection>(instance_);
  if (instance_.has(ORDERD_EXT_CATALOG)) catalog_ = std::make_unique<PluginCatalog>(instance_);
  if (instance_.has(ORDERD_EXT_WEBHOOK)) webhook_ = std::make_unique<WebhookReader>(instance_);
  log_info("plugin", "loaded a plugin",
           {{"instance", config.name},
            {"library", instance_.library().path.string()},
            {"digest", instance_.digest()}});
}

BuildInfo LoadedBuild::info() const {
  const orderd_descriptor& descriptor = *instance_.library().descriptor;
  BuildInfo info;
  info.instance = instance_.name();
  info.plugin = descriptor.name;
  info.version = descriptor.version;
  info.vendor = descriptor.vendor;
  info.library = instance_.library().path.string();
  info.digest = instance_.digest();
  info.extensions = instance_.extensions();
  return info;
}

std::vector<store::Migration> LoadedBuild::migrations() {
  const auto* table = instance_.extension<orderd_migrations_v1>(ORDERD_EXT_MIGRATIONS);
  if (!table || !table->list) return {};
  std::uint32_t count = 0;
  const orderd_migration* list = table->list(instance_.plugin(), &count);
  std::vector<store::Migration> out;
  for (std::uint32_t i = 0; i < count; ++i)
    out.push_back({static_cast<int>(list[i].number), list[i].name, list[i].sql});
  return out;
}

StepPort* LoadedBuild::step() {
  if (external_) return external_.get();
  return transactional_.get();
}

void LoadedBuild::start(const CompletionSink& sink) {
  if (external_) external_->set_sink(sink);
  instance_.start();
  if (external_) external_->start();
}

bool LoadedBuild::stop() {
  if (stuck_) return false;
  if (external_ && !external_->drain()) {
    log_error("plugin", "a plugin holds a thread of the host and cannot be stopped; it is left as it is",
              {{"instance", instance_.name()}});
    stuck_ = true;
    return false;
  }
  instance_.stop();
  if (external_) external_->join();
  return true;
}

std::unique_ptr<Build> make_build(const InstanceConfig& config, const LibrarySource& source,
                                  const std::filesystem::path& library, const std::string& digest,
                                  const Options& options) {
  if (config.isolated) return isolation::make_isolated(config, source, library, digest, options);
  return std::make_unique<LoadedBuild>(config, load_library(config.name, source, library, digest), options);
}

}  // namespace orderd::plugins
