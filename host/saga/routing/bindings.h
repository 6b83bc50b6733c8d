#pragma once
// Which plugins serve an order: chosen when its saga begins, and kept with it, so that it ends with the
// instance and the build that it began with.
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "plugin_ports/step.h"
#include "saga/core/decide.h"

namespace orderd::saga {

using Slots = std::map<std::string, plugins::StepPort*>;

/// The plugins behind one order's slots. Shared by all orders that are served alike.
struct PluginBindings {
  std::map<std::string, SlotInfo> infos;
  Slots ports;
  explicit PluginBindings(Slots of);
};

/// Where the engine gets them from. [engine thread]
class Plugins {
 public:
  virtual ~Plugins() = default;
  /// For an order that begins. Instances in `broken` are avoided where a rule names others.
  virtual std::shared_ptr<const PluginBindings> choose(const Uuid& order_id, const OrderBody& body,
                                                       const Definition& definition,
                                                       const std::set<std::string>& broken) = 0;
  /// For a saga that has begun: what it names. `reopened`: it had ended, and may go on with a newer build.
  /// nullptr if one of them is not on this host; `missing` then says which, and what to do.
  virtual std::shared_ptr<const PluginBindings> of(const Saga& saga, const Definition& definition,
                                                   bool reopened, std::string& missing) = 0;
  /// Everyone who may serve a slot; empty if nobody can.
  virtual std::vector<plugins::StepPort*> candidates(const std::string& slot) = 0;
  /// Whether each slot of this definition has an instance for new orders. One of the past may lack it.
  virtual bool may_begin(const Definition&) const { return true; }
  /// All instances, for reports.
  virtual std::set<std::string> external_instances() = 0;
};

/// One plugin a slot, for ever.
class FixedPlugins final : public Plugins {
 public:
  explicit FixedPlugins(Slots slots) : served_(std::make_shared<const PluginBindings>(std::move(slots))) {}
  std::shared_ptr<const PluginBindings> choose(const Uuid&, const OrderBody&, const Definition&,
                                               const std::set<std::string>&) override {
    return served_;
  }
  std::shared_ptr<const PluginBindings> of(const Saga&, const Definition& definition, bool,
                                           std::string& missing) override;
  std::vector<plugins::StepPort*> candidates(const std::string& slot) override;
  std::set<std::string> external_instances() override;

 private:
  const std::shared_ptr<const PluginBindings> served_;
};

/// Writes into a saga what serves it.
void bind(Saga& saga, const Definition& definition, const PluginBindings& served);
/// Which instance serves one slot of a saga: the one that it names. `standard`: of a saga that began before
/// instances were named.
std::string instance_of(const Saga& saga, const std::string& slot, const std::string& standard);
/// Whether the plugin in a slot has not answered anything of this order: another instance may still serve it.
bool is_untouched(const Saga& saga, const Definition& definition, const std::string& slot);

/// Orders of this host whose plugin's build is missing here. [any thread]
Metrics::Gauge& orders_without_build();

}  // namespace orderd::saga
