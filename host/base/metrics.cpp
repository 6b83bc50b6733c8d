#include "base/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>

namespace orderd {
namespace {

/// {consumer="relay",shard="0"} behind a metric's name, as the parts write it.
std::vector<prometheus::ClientMetric::Label> labels_of(const std::string& name) {
  std::vector<prometheus::ClientMetric::Label> labels;
  for (std::size_t at = name.find('{'); at != name.npos && at + 1 < name.size();) {
    const std::size_t equals = name.find("=\"", at), end = name.find('"', equals + 2);
    if (equals == name.npos || end == name.npos) break;
    labels.push_back({name.substr(at + 1, equals - at - 1), name.substr(equals + 2, end - equals - 2)});
    at = end + 1;
  }
  return labels;
}

prometheus::ClientMetric::Histogram histogram_of(const Metrics::Histogram& of) {
  prometheus::ClientMetric::Histogram out;
  for (std::size_t i = 0; i < of.bounds_ms.size(); ++i) {
    out.sample_count += static_cast<std::uint64_t>(of.count(i));
    out.bucket.push_back({out.sample_count, static_cast<double>(of.bounds_ms[i]) / 1000});
  }
  out.sample_count += static_cast<std::uint64_t>(of.count(of.bounds_ms.size()));
  out.sample_sum = static_cast<double>(of.sum_ms()) / 1000;
  return out;
}

}  // namespace

Metrics::Value& Metrics::entry(const std::string& name, const std::string& help, const char* type) {
  std::lock_guard lock(mutex_);
  Entry& entry = entries_[name];
  if (!entry.value) entry = {help, type, std::make_unique<Value>(0), nullptr};
  return *entry.value;
}

Metrics::Value& Metrics::counter(const std::string& name, const std::string& help) {
  return entry(name, help, "counter");
}
Metrics::Value& Metrics::gauge(const std::string& name, const std::string& help) {
  return entry(name, help, "gauge");
}

void Metrics::Histogram::observe(std::chrono::milliseconds time) {
  const auto bound = std::lower_bound(bounds_ms.begin(), bounds_ms.end(), time.count());
  counts_[static_cast<std::size_t>(bound - bounds_ms.begin())].fetch_add(1, std::memory_order_relaxed);
  sum_ms_.fetch_add(time.count(), std::memory_order_relaxed);
}

Metrics::Histogram& Metrics::histogram(const std::string& name, const std::string& help) {
  std::lock_guard lock(mutex_);
  Entry& entry = entries_[name];
  if (!entry.histogram) entry = {help, "histogram", nullptr, std::make_unique<Histogram>()};
  return *entry.histogram;
}

std::string Metrics::to_text() const {
  std::vector<prometheus::MetricFamily> families;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [name, entry] : entries_) {
      const std::string family = name.substr(0, name.find('{'));
      const bool rises = std::string_view(entry.type) == "counter";
      if (families.empty() || families.back().name != family)
        families.push_back({family,
                            entry.help,
                            entry.histogram ? prometheus::MetricType::Histogram
                            : rises         ? prometheus::MetricType::Counter
                                            : prometheus::MetricType::Gauge,
                            {}});
      prometheus::ClientMetric& metric = families.back().metric.emplace_back();
      metric.label = labels_of(name);
      if (entry.histogram) {
        metric.histogram = histogram_of(*entry.histogram);
        continue;
      }
      const auto value = static_cast<double>(entry.value->load(std::memory_order_relaxed));
      (rises ? metric.counter.value : metric.gauge.value) = value;
    }
  }
  return prometheus::TextSerializer().Serialize(families);
}

std::vector<Metrics::Sample> Metrics::samples() const {
  std::lock_guard lock(mutex_);
  std::vector<Sample> out;
  for (const auto& [name, entry] : entries_)
    if (entry.value)
      out.push_back({name, entry.help, std::string_view(entry.type) == "counter",
                     entry.value->load(std::memory_order_relaxed)});
  return out;
}

Metrics& metrics() {
  static Metrics instance;
  return instance;
}

}  // namespace orderd
