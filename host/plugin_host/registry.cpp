#include "plugin_host/registry.h"

#include <orderd/migrations.h>

#include <algorithm>
#include <set>

#include "base/log.h"
#include "plugin_host/external_step.h"
#include "plugin_host/step_table.h"
#include "plugin_host/transactional_ports.h"
#include "plugin_host/webhook_reader.h"
#include "store/migrations.h"

namespace orderd::plugins {

/// An instance and the ports on it; the instance is made first and goes last.
struct Registry::Entry {
  std::unique_ptr<Instance> instance;
  std::unique_ptr<ExternalStep> external;
  std::unique_ptr<TransactionalStep> transactional;
  std::unique_ptr<PluginProjection> projection;
  std::unique_ptr<PluginCatalog> catalog;
  std::unique_ptr<WebhookReader> webhook;
  bool stuck = false;  // a thread of the host is held inside the plugin
};

namespace {

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

}  // namespace

Registry::Registry(Options options, const std::vector<InstanceConfig>& configs)
    : options_(std::move(options)) {
  std::set<std::string> names;
  for (const InstanceConfig& config : configs) {
    if (!names.insert(config.name).second)
      throw PluginError("plugin \"" + config.name +
                        "\" is configured twice; give each instance a name of its own");
    auto entry = std::make_unique<Entry>();
    Library library = load_library(config.name, options_.directory, config.library);
    CheckedSettings settings = check_settings(config.name, library, config.settings, config.secrets);
    entry->instance = std::make_unique<Instance>(config.name, std::move(library), std::move(settings),
                                                 options_.host_version);
    Instance& instance = *entry->instance;
    check_needs(instance, config.extensions);
    if (instance.has(ORDERD_EXT_STEP)) {
      const orderd_step_traits traits = describe_step(instance);
      if ((traits.flags & ORDERD_STEP_TRANSACTIONAL) != 0)
        entry->transactional = std::make_unique<TransactionalStep>(instance);
      else
        entry->external = std::make_unique<ExternalStep>(instance, traits, options_);
    }
    if (instance.has(ORDERD_EXT_PROJECTION)) entry->projection = std::make_unique<PluginProjection>(instance);
    if (instance.has(ORDERD_EXT_CATALOG)) entry->catalog = std::make_unique<PluginCatalog>(instance);
    if (instance.has(ORDERD_EXT_WEBHOOK)) entry->webhook = std::make_unique<WebhookReader>(instance);
    log_info("plugin", "loaded a plugin",
             {{"instance", config.name},
              {"library", instance.library().path.string()},
              {"digest", instance.digest()}});
    entries_.push_back(std::move(entry));
  }
}

Registry::~Registry() {
  stop();
  for (auto& entry : entries_)
    if (entry->stuck) (void)entry.release();  // its thread may still return into it
  while (!entries_.empty()) entries_.pop_back();
}

StepPort& Registry::step(std::string_view name) {
  for (const auto& entry : entries_) {
    if (entry->instance->name() != name) continue;
    if (entry->external) return *entry->external;
    if (entry->transactional) return *entry->transactional;
    check_needs(*entry->instance, {ORDERD_EXT_STEP});
  }
  throw PluginError("no plugin is configured as \"" + std::string(name) + "\"; add one with this name");
}

std::vector<ProjectionPort*> Registry::projections() {
  std::vector<ProjectionPort*> found;
  for (const auto& entry : entries_)
    if (entry->projection) found.push_back(entry->projection.get());
  return found;
}

std::vector<CatalogPort*> Registry::catalogs() {
  std::vector<CatalogPort*> found;
  for (const auto& entry : entries_)
    if (entry->catalog) found.push_back(entry->catalog.get());
  return found;
}

WebhookPort* Registry::webhook(std::string_view name) {
  for (const auto& entry : entries_)
    if (entry->instance->name() == name) return entry->webhook.get();
  return nullptr;
}

std::vector<WebhookPort*> Registry::webhooks() {
  std::vector<WebhookPort*> found;
  for (const auto& entry : entries_)
    if (entry->webhook) found.push_back(entry->webhook.get());
  return found;
}

std::map<std::string, std::vector<store::Migration>> Registry::migrations() const {
  std::map<std::string, std::vector<store::Migration>> all;
  for (const auto& entry : entries_) {
    const Instance& instance = *entry->instance;
    const auto* table = instance.extension<orderd_migrations_v1>(ORDERD_EXT_MIGRATIONS);
    const std::string owner = std::string("plugin:") + instance.library().descriptor->name;
    if (!table || !table->list || all.contains(owner)) continue;
    std::uint32_t count = 0;
    const orderd_migration* list = table->list(instance.plugin(), &count);
    auto& migrations = all[owner];
    for (std::uint32_t i = 0; i < count; ++i)
      migrations.push_back({static_cast<int>(list[i].number), list[i].name, list[i].sql});
  }
  return all;
}

void Registry::migrate(store::Connection& connection) {
  for (const auto& [owner, migrations] : migrations())
    for (const auto& applied : store::migrate(connection, owner, migrations))
      log_info("plugin", "applied a migration",
               {{"owner", owner}, {"number", std::to_string(applied.number)}});
}

void Registry::start(CompletionSink sink) {
  try {
    for (const auto& entry : entries_) {
      entry->instance->start();
      if (entry->external) entry->external->start(sink);
    }
  } catch (...) {
    stop();
    throw;
  }
}

void Registry::stop() {
  for (auto at = entries_.rbegin(); at != entries_.rend(); ++at) {
    Entry& entry = **at;
    if (entry.stuck) continue;
    if (entry.external && !entry.external->drain()) {
      log_error("plugin", "a plugin holds a thread of the host and cannot be stopped; it is left as it is",
                {{"instance", entry.instance->name()}});
      entry.stuck = true;
      continue;
    }
    entry.instance->stop();
    if (entry.external) entry.external->join();
  }
}

std::vector<Registry::Info> Registry::infos() const {
  std::vector<Info> infos;
  for (const auto& entry : entries_) {
    const Instance& instance = *entry->instance;
    const orderd_descriptor& descriptor = *instance.library().descriptor;
    infos.push_back({instance.name(), descriptor.name, descriptor.version, descriptor.vendor,
                     instance.library().path.string(), instance.digest(), instance.extensions()});
  }
  return infos;
}

}  // namespace orderd::plugins
