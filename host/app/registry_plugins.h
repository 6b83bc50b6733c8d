#pragma once
// The engine's plugins in the host: instances by the operator's routes, builds by the registry.
#include <memory>
#include <mutex>

#include "plugin_host/loading/registry.h"
#include "saga/routing/bindings.h"
#include "saga/routing/routes.h"

namespace orderd::saga {

class RegistryPlugins final : public Plugins {
 public:
  /// `standard`: the instance of each slot that no rule sends elsewhere. Throws PluginError for an instance
  /// that is not configured, or is no step, or of another kind than the slot's standard one.
  RegistryPlugins(plugins::Registry& registry, std::map<std::string, std::string> standard, Routes routes);

  std::shared_ptr<const PluginBindings> choose(const Uuid& order_id, const OrderBody& body,
                                               const Definition& definition,
                                               const std::set<std::string>& broken) override;
  std::shared_ptr<const PluginBindings> of(const Saga& saga, const Definition& definition, bool reopened,
                                           std::string& missing) override;
  bool may_begin(const Definition& definition) const override;
  std::vector<plugins::StepPort*> candidates(const std::string& slot) override;
  std::set<std::string> external_instances() override;
  /// For orders from now on; throws as the constructor, and then nothing has changed. [any thread]
  void set_routes(Routes routes);

 private:
  using Ports = std::vector<plugins::StepPort*>;  // in the order of the definition's steps
  std::set<std::string> instances_of(const std::string& slot) const;
  std::shared_ptr<const PluginBindings> served(const Definition& definition, const Ports& ports);
  void check(const Routes& routes) const;

  plugins::Registry& registry_;
  const std::map<std::string, std::string> standard_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Routes> routes_;  // guarded by mutex_
  std::map<std::pair<std::string, Ports>, std::shared_ptr<const PluginBindings>>
      all_;  // by definition; engine thread
};

}  // namespace orderd::saga
