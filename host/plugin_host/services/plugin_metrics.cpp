#include "plugin_host/services/plugin_metrics.h"

#include <algorithm>
#include <stdexcept>

#include "plugin_ports/outcome_check.h"

namespace orderd::plugins {
namespace {

constexpr std::size_t name_bytes_max = 60;

std::string name_problem(PluginMetrics::Kind kind, const std::string& name) {
  bool sound = !name.empty() && name.size() <= name_bytes_max && name[0] >= 'a' && name[0] <= 'z';
  for (const char c : name) sound &= (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  if (!sound) return "a metric's name is [a-z][a-z0-9_]*, at most 60: \"" + name + "\"";
  const bool total = name.size() > 6 && name.compare(name.size() - 6, 6, "_total") == 0;
  return kind == PluginMetrics::Kind::counter && !total ? "a counter's name ends in _total: \"" + name + "\""
                                                        : "";
}

}  // namespace

PluginMetrics::Declared PluginMetrics::declare(Kind kind, const std::string& name, const std::string& help,
                                               const std::vector<std::int64_t>& bounds) {
  if (auto problem = name_problem(kind, name); !problem.empty()) return {0, false, problem};
  if (bounds.size() > bounds_max || !std::is_sorted(bounds.begin(), bounds.end()))
    return {0, false, "the bounds of \"" + name + "\" must rise, and be at most 20"};
  std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < all_.size(); ++i)
    if (all_[i].name == name) {
      if (all_[i].kind == kind) return {static_cast<std::uint32_t>(i) + 1, false, ""};
      return {0, false, "\"" + name + "\" was declared as another kind"};
    }
  if (all_.size() == metrics_max) return {0, true, "100 metrics are declared already"};
  Metric metric{kind, name};
  const std::string full = "orderd_plugin_" + name, text = one_line(help);
  const Metrics::Labels labels{{"instance", instance_}};
  try {
    if (kind == Kind::counter) metric.counter = &metrics().counter(full, text, labels);
    if (kind == Kind::gauge) metric.gauge = &metrics().gauge(full, text, labels);
    if (kind == Kind::histogram)
      metric.histogram = &metrics().histogram(full, text, labels, {bounds.begin(), bounds.end()});
  } catch (const std::invalid_argument&) {
    return {0, false, "another plugin declared \"" + name + "\" as another kind"};
  }
  all_.push_back(std::move(metric));
  count_ = all_.size();
  return {static_cast<std::uint32_t>(all_.size()), false, ""};
}

const PluginMetrics::Metric* PluginMetrics::find(std::uint32_t number, Kind kind) {
  if (number == 0 || number > count_ || all_[number - 1].kind != kind) return nullptr;
  return &all_[number - 1];
}

void PluginMetrics::add(std::uint32_t number, std::int64_t amount) {
  if (const Metric* gauge = find(number, Kind::gauge)) gauge->gauge->Increment(static_cast<double>(amount));
  const Metric* counter = amount >= 0 ? find(number, Kind::counter) : nullptr;
  if (counter) counter->counter->Increment(static_cast<double>(amount));
}

void PluginMetrics::set(std::uint32_t number, std::int64_t value) {
  if (const Metric* gauge = find(number, Kind::gauge)) gauge->gauge->Set(static_cast<double>(value));
}

void PluginMetrics::observe(std::uint32_t number, std::int64_t value) {
  if (const Metric* histogram = find(number, Kind::histogram))
    histogram->histogram->Observe(static_cast<double>(value));
}

}  // namespace orderd::plugins
