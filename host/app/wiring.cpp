#include "app/wiring.h"

#include <pwd.h>

#include <charconv>
#include <filesystem>
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

namespace {
plugins::Trust trust(const config::Settings& settings) {
  const std::string& name = settings.plugins_trusted_owner;
  if (name.empty()) return {};
  uid_t number = 0;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), number);
  if (read.ec == std::errc() && read.ptr == name.data() + name.size()) return {number, false};
  if (const passwd* user = getpwnam(name.c_str())) return {user->pw_uid, false};
  throw config::ConfigError("plugins.trusted_owner = " + name + ": there is no such user");
}
}  // namespace

plugins::LibrarySource library_source(const config::Settings& settings) {
  return {settings.plugins_dir, trust(settings)};
}

plugins::BuildStore build_store(const config::Settings& settings) {
  return plugins::BuildStore(settings.plugins_store_dir, trust(settings));
}

plugins::InstanceConfig instance_config(const std::string& name, const config::PluginSettings& plugin) {
  return {name,
          plugin.library,
          plugin.settings,
          {},
          plugin.secret_values,
          plugin.isolated,
          plugin.memory_mb,
          plugin.threads};
}

std::set<std::string> slots_of_sagas(const config::Settings& settings, const saga::Definition& definition) {
  std::set<std::string> slots;
  const auto take = [&](const saga::Definition& one) {
    for (const saga::StepDefinition& step : one.steps) slots.insert(step.slot);
  };
  take(definition);
  for (const auto& entry : std::filesystem::directory_iterator(settings.saga_dir))
    if (entry.path().extension() == ".json") take(saga::load_definition(entry.path()));
  return slots;
}

std::set<std::string> instances_for_new_orders(const config::Settings& settings,
                                               const saga::Definition& definition) {
  std::set<std::string> out;
  for (const saga::StepDefinition& step : definition.steps) out.insert(instance_of(settings, step.slot));
  for (const auto& [slot, instance] : settings.slots) out.insert(instance);
  for (const auto& [slot, rules] : saga::parse_routes(settings.routes))
    for (const saga::Rule& rule : rules) out.insert(rule.instances.begin(), rule.instances.end());
  return out;
}

std::vector<plugins::CatalogPort*> catalogs_for_new_orders(const config::Settings& settings,
                                                           plugins::Registry& registry,
                                                           const saga::Definition& definition) {
  auto out = registry.catalogs();
  const auto serving = instances_for_new_orders(settings, definition);
  std::erase_if(out, [&](const plugins::CatalogPort* one) { return !serving.contains(one->instance()); });
  return out;
}

namespace {

/// A misspelt slot would be ignored for ever.
void check_slot_names(const config::Settings& settings, const saga::Definition& definition) {
  std::map<std::string, std::string> named;  // slot -> key
  for (const auto& [slot, instance] : settings.slots) named[slot] = "slot." + slot;
  for (const auto& [slot, rules] : saga::parse_routes(settings.routes)) named[slot] = rules.front().key;
  for (const saga::StepDefinition& step : definition.steps) named.erase(step.slot);
  if (named.empty()) return;
  const auto known = slots_of_sagas(settings, definition);
  std::string all;
  for (const std::string& slot : known) all += (all.empty() ? "" : ", ") + slot;
  for (const auto& [slot, key] : named)
    if (!known.contains(slot))
      throw plugins::PluginError(key + ": no saga has a slot \"" + slot +
                                 "\"; correct its name: the sagas in " + settings.saga_dir + " have " + all);
}

}  // namespace

std::unique_ptr<plugins::Registry> load_plugins(const config::Settings& settings,
                                                const saga::Definition& definition) {
  check_slot_names(settings, definition);
  for (const saga::StepDefinition& step : definition.steps) {
    const std::string instance = instance_of(settings, step.slot);
    if (!settings.plugins.contains(instance))
      throw plugins::PluginError("saga " + definition.name + ": step " + step.name +
                                 " needs a plugin in slot " + step.slot + ": set plugin." + instance +
                                 ".library, or slot." + step.slot + " to another instance");
  }
  for (const auto& [slot, rules] : saga::parse_routes(settings.routes))
    for (const saga::Rule& rule : rules)
      for (const std::string& instance : rule.instances)
        if (!settings.plugins.contains(instance))
          throw plugins::PluginError(rule.key + " names the plugin instance " + instance +
                                     ", and there is none: set plugin." + instance + ".library");
  const auto steps = instances_for_new_orders(settings, definition);
  std::vector<plugins::InstanceConfig> configs;
  for (const auto& [name, plugin] : settings.plugins) {
    configs.push_back(instance_config(name, plugin));
    // Without a slot: a projection, or a step that orders began with before it lost its slot.
    configs.back().extensions = {steps.contains(name) ? "orderd.step/1"
                                                      : "orderd.step/1|orderd.projection/1"};
  }
  plugins::Options options;
  options.directory = settings.plugins_dir;
  options.host_version = version;
  options.store = settings.plugins_store_dir;
  options.log_level = settings.log_level;
  options.log_format = settings.log_format;
  options.trust = trust(settings);
  return std::make_unique<plugins::Registry>(options, configs);
}

namespace {

/// By slot.
std::map<std::string, std::string> standard_instances(const config::Settings& settings,
                                                      const saga::Definition& definition) {
  std::map<std::string, std::string> out = settings.slots;
  for (const saga::StepDefinition& step : definition.steps) out[step.slot] = instance_of(settings, step.slot);
  return out;
}

}  // namespace

saga::Slots saga_slots(const config::Settings& settings, plugins::Registry& registry,
                       const saga::Definition& definition) {
  saga::Slots slots;
  for (const auto& [slot, instance] : standard_instances(settings, definition))
    slots[slot] = &registry.step(instance);
  return slots;
}

std::unique_ptr<saga::RegistryPlugins> saga_plugins(const config::Settings& settings,
                                                    plugins::Registry& registry,
                                                    const saga::Definition& definition) {
  return std::make_unique<saga::RegistryPlugins>(registry, standard_instances(settings, definition),
                                                 saga::parse_routes(settings.routes));
}

bus::KafkaOptions kafka_options(const config::Settings& settings) {
  bus::KafkaOptions options;
  options.properties = settings.kafka;
  options.partitions = shards;
  return options;
}

void judge(const config::Settings& settings, plugins::Registry& registry,
           const saga::Definition& definition) {
  (void)saga_plugins(settings, registry, definition);
  if (settings.bus == "kafka") bus::KafkaBus::check(kafka_options(settings));
}

std::string consumer_name(const config::Settings& settings, const std::string& consumer) {
  return settings.bus == "pglog" ? consumer : consumer + "@" + settings.bus;
}

}  // namespace orderd
