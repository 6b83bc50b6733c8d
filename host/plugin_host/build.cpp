#include "plugin_host/build.h"

#include "base/log.h"
#include "plugin_host/error.h"
#include "plugin_host/step_table.h"

namespace orderd::plugins {

void check_needs(const Instance& instance, const std::vector<std::string>& needs) {
  for (const std::string& id : needs) {
    if (instance.has(id)) continue;
    std::string offered;
    for (const std::string& other : instance.extensions()) offered += (offered.empty() ? "" : ", ") + other;
    fail(instance.name(), instance.library().path,
         std::string(instance.library().descriptor->name) + " has no " + id + " (it offers " +
             (offered.empty() ? "nothing" : offered) + ")",
         "configure a plugin that has it");
  }
}

Build::Build(const InstanceConfig& config, Library library, const Options& options)
    : instance_(config.name, std::move(library), config.settings, options.host_version) {
  check_needs(instance_, config.extensions);
  if (instance_.has(ORDERD_EXT_STEP)) {
    const orderd_step_traits traits = describe_step(instance_);
    state_versions_ = {traits.state_version_min, traits.state_version_max};
    if ((traits.flags & ORDERD_STEP_TRANSACTIONAL) != 0)
      transactional_ = std::make_unique<TransactionalStep>(instance_);
    else
      external_ = std::make_unique<ExternalStep>(instance_, traits, options);
  }
  if (instance_.has(ORDERD_EXT_PROJECTION)) projection_ = std::make_unique<PluginProjection>(instance_);
  if (instance_.has(ORDERD_EXT_CATALOG)) catalog_ = std::make_unique<PluginCatalog>(instance_);
  if (instance_.has(ORDERD_EXT_WEBHOOK)) webhook_ = std::make_unique<WebhookReader>(instance_);
  log_info("plugin", "loaded a plugin",
           {{"instance", config.name},
            {"library", instance_.library().path.string()},
            {"digest", instance_.digest()}});
}

StepPort* Build::step() {
  if (external_) return external_.get();
  return transactional_.get();
}

void Build::start(const CompletionSink& sink) {
  instance_.start();
  if (external_) external_->start(sink);
}

bool Build::stop() {
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

}  // namespace orderd::plugins
