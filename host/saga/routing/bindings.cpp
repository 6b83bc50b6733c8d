#include "saga/routing/bindings.h"

namespace orderd::saga {

PluginBindings::PluginBindings(Slots of) : ports(std::move(of)) {
  for (const auto& [slot, port] : ports)
    infos[slot] = {port->instance(),           port->transactional(),
                   port->can_query(),          port->supports(slot + ".extend"),
                   port->idempotency_window(), port->digest()};
}

std::shared_ptr<const PluginBindings> FixedPlugins::of(const Saga&, const Definition& definition, bool,
                                                       std::string& missing) {
  for (const StepDefinition& step : definition.steps)
    if (!served_->ports.contains(step.slot))
      return missing = "no plugin is in slot " + step.slot + ": set slot." + step.slot, nullptr;
  return served_;
}

std::vector<plugins::StepPort*> FixedPlugins::candidates(const std::string& slot) {
  const auto found = served_->ports.find(slot);
  return found == served_->ports.end() ? std::vector<plugins::StepPort*>{} : std::vector{found->second};
}

std::set<std::string> FixedPlugins::external_instances() {
  std::set<std::string> out;
  for (const auto& [slot, port] : served_->ports)
    if (!port->transactional()) out.insert(port->instance());
  return out;
}

void bind(Saga& saga, const Definition& definition, const PluginBindings& served) {
  for (const StepDefinition& step : definition.steps) {
    const SlotInfo& info = served.infos.at(step.slot);
    if (!info.digest.empty()) saga.digests[step.slot] = info.digest;
    saga.instances[step.slot] = info.instance;
  }
}

std::string instance_of(const Saga& saga, const std::string& slot, const std::string& standard) {
  const auto found = saga.instances.find(slot);
  return found == saga.instances.end() ? standard : found->second;
}

bool is_untouched(const Saga& saga, const Definition& definition, const std::string& slot) {
  if (saga.blobs.contains(slot)) return false;
  for (const StepDefinition& step : definition.steps) {
    if (step.slot != slot) continue;
    if (step.is_payment() && !saga.reference.empty()) return false;
    for (const Attempt& attempt : saga.attempts)
      if (attempt.action == step.action || attempt.action == step.compensation) return false;
  }
  return true;
}

Metrics::Gauge& orders_without_build() {
  static Metrics::Gauge& value = metrics().gauge(
      "orderd_orders_without_build", "Orders of this host that wait for a plugin's build that is not here");
  return value;
}

}  // namespace orderd::saga
