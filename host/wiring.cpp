#include "wiring.h"

#include <set>

namespace orderd {

const char* const version = ORDERD_VERSION;

store::ConnectionOptions database(const config::Settings& settings) {
  store::ConnectionOptions options;
  options.url = settings.postgres_url;
  options.password = settings.postgres_password;
  options.pooled = settings.postgres_pooled;
  return options;
}

std::string instance_of(const config::Settings& settings, const std::string& slot) {
  const auto named = settings.slots.find(slot);
  return named == settings.slots.end() ? slot : named->second;
}

saga::Definition default_definition(const config::Settings& settings) {
  return saga::load_definition(settings.saga_dir + "/" + settings.saga_default + ".json");
}

std::unique_ptr<plugins::Registry> load_plugins(const config::Settings& settings,
                                                const saga::Definition& definition) {
  std::set<std::string> steps;
  for (const saga::StepDefinition& step : definition.steps) {
    const std::string instance = instance_of(settings, step.slot);
    if (!settings.plugins.contains(instance))
      throw plugins::PluginError("saga " + definition.name + ": step " + step.name +
                                 " needs a plugin in slot " + step.slot + ": set plugin." + instance +
                                 ".library, or slot." + step.slot + " to another instance");
    steps.insert(instance);
  }
  // Slots that only orders in flight still name keep their plugin as long as slot.<name> is set.
  for (const auto& [slot, instance] : settings.slots) steps.insert(instance);
  std::vector<plugins::InstanceConfig> configs;
  for (const auto& [name, plugin] : settings.plugins)
    configs.push_back({name,
                       plugin.library,
                       plugin.settings,
                       {steps.contains(name) ? "orderd.step/1" : "orderd.projection/1"},
                       plugin.secret_values});
  plugins::Options options;
  options.directory = settings.plugins_dir;
  options.host_version = version;
  return std::make_unique<plugins::Registry>(options, configs);
}

saga::Engine::Slots saga_slots(const config::Settings& settings, plugins::Registry& registry,
                               const saga::Definition& definition) {
  saga::Engine::Slots slots;
  for (const saga::StepDefinition& step : definition.steps)
    slots[step.slot] = &registry.step(instance_of(settings, step.slot));
  for (const auto& [slot, instance] : settings.slots) slots.try_emplace(slot, &registry.step(instance));
  return slots;
}

std::string consumer_name(const config::Settings& settings, const std::string& consumer) {
  return settings.bus == "pglog" ? consumer : consumer + "@" + settings.bus;
}

}  // namespace orderd
