#include "app/registry_plugins.h"

#include <algorithm>

#include "plugin_ports/error.h"

namespace orderd::saga {

RegistryPlugins::RegistryPlugins(plugins::Registry& registry, std::map<std::string, std::string> standard,
                                 Routes routes)
    : registry_(registry), standard_(std::move(standard)) {
  for (const auto& [slot, instance] : standard_) (void)registry_.step(instance);
  set_routes(std::move(routes));
}

void RegistryPlugins::set_routes(Routes routes) {
  check(routes);
  std::lock_guard lock(mutex_);
  routes_ = std::make_shared<const Routes>(std::move(routes));
}

void RegistryPlugins::check(const Routes& routes) const {
  for (const auto& [slot, rules] : routes) {
    const auto standard = standard_.find(slot);
    for (const Rule& rule : rules) {
      if (standard == standard_.end())
        throw plugins::PluginError(rule.key + ": no saga has a slot \"" + slot + "\"; correct its name");
      for (const std::string& instance : rule.instances)
        if (registry_.step(instance).transactional() != registry_.step(standard->second).transactional())
          throw plugins::PluginError(rule.key + ": " + instance + " is of another kind than " +
                                     standard->second +
                                     ": one works in the host's transaction, the other outside; route slot " +
                                     slot + " to plugins of one kind");
    }
  }
}

std::shared_ptr<const PluginBindings> RegistryPlugins::choose(const Uuid& order_id, const OrderBody& body,
                                                              const Definition& definition,
                                                              const std::set<std::string>& broken) {
  std::shared_ptr<const Routes> routes;
  {
    std::lock_guard lock(mutex_);
    routes = routes_;
  }
  Ports ports;
  for (const StepDefinition& step : definition.steps) {
    const auto rules = routes->find(step.slot);
    const std::string& standard = standard_.at(step.slot);
    ports.push_back(registry_.step(
        rules == routes->end() ? standard : route(rules->second, standard, order_id, body, broken), ""));
  }
  return served(definition, ports);
}

bool RegistryPlugins::may_begin(const Definition& definition) const {
  return std::all_of(definition.steps.begin(), definition.steps.end(),
                     [&](const StepDefinition& step) { return standard_.contains(step.slot); });
}

std::shared_ptr<const PluginBindings> RegistryPlugins::of(const Saga& saga, const Definition& definition,
                                                          bool reopened, std::string& missing) {
  Ports ports;
  for (const StepDefinition& step : definition.steps) {
    const auto standard = standard_.find(step.slot);
    const std::string instance =
        instance_of(saga, step.slot, standard == standard_.end() ? step.slot : standard->second);
    const auto pinned = saga.digests.find(step.slot);
    std::string digest = pinned == saga.digests.end() ? "" : pinned->second;
    const auto blob = saga.blobs.find(step.slot);
    if (reopened)
      digest = registry_.adopter(instance, digest, blob == saga.blobs.end() ? 0 : blob->second.version);
    ports.push_back(registry_.step(instance, digest));
    if (ports.back()) continue;
    missing = "slot " + step.slot + " of its saga is served by build " + digest + " of plugin " + instance +
              ", which is not on this host: configure the plugin, or install that build again " +
              "(orderctl plugin install)";
    return nullptr;
  }
  return served(definition, ports);
}

std::shared_ptr<const PluginBindings> RegistryPlugins::served(const Definition& definition,
                                                              const Ports& ports) {
  auto& found = all_[{definition.digest, ports}];
  if (found) return found;
  Slots slots;
  for (std::size_t i = 0; i < ports.size(); ++i) slots[definition.steps[i].slot] = ports[i];
  return found = std::make_shared<const PluginBindings>(std::move(slots));
}

std::set<std::string> RegistryPlugins::instances_of(const std::string& slot) const {
  std::set<std::string> out;
  if (const auto standard = standard_.find(slot); standard != standard_.end()) out.insert(standard->second);
  std::lock_guard lock(mutex_);
  if (const auto rules = routes_->find(slot); rules != routes_->end())
    for (const Rule& rule : rules->second) out.insert(rule.instances.begin(), rule.instances.end());
  return out;
}

std::vector<plugins::StepPort*> RegistryPlugins::candidates(const std::string& slot) {
  std::vector<plugins::StepPort*> out;
  for (const std::string& instance : instances_of(slot)) out.push_back(&registry_.step(instance));
  return out;
}

std::set<std::string> RegistryPlugins::external_instances() {
  std::set<std::string> out;
  for (const auto& [slot, standard] : standard_)
    for (const std::string& instance : instances_of(slot))
      if (!registry_.step(instance).transactional()) out.insert(instance);
  return out;
}

}  // namespace orderd::saga
