#include "plugin_host/isolation/process_metrics.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "plugin_host/services/plugin_metrics.h"
#include "plugin_ports/outcome_check.h"

namespace orderd::plugins::isolation {
namespace {

constexpr std::string_view prefix = "orderd_plugin_";
constexpr std::uint8_t counter = 1, gauge = 2, histogram = 3;

std::int64_t whole(double value) { return static_cast<std::int64_t>(std::llround(value)); }

bool is_name(const std::string& name) {
  return name.starts_with(prefix) && name.size() <= outcome_text_bytes_max &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == name.npos;
}

}  // namespace

Out plugin_metrics_now() {
  std::vector<const prometheus::MetricFamily*> own;
  const auto families = metrics().collect();
  for (const auto& family : families)
    if (family.name.starts_with(prefix) && !family.metric.empty()) own.push_back(&family);
  Out out;
  out.u32(static_cast<std::uint32_t>(own.size()));
  for (const auto* family : own) {
    const prometheus::ClientMetric& metric = family->metric.front();  // one instance a process
    const bool is_counter = family->type == prometheus::MetricType::Counter;
    const bool is_histogram = family->type == prometheus::MetricType::Histogram;
    out.u8(is_histogram ? histogram : is_counter ? counter : gauge).text(family->name).text(family->help);
    if (!is_histogram) {
      out.i64(whole(is_counter ? metric.counter.value : metric.gauge.value));
      continue;
    }
    const auto& buckets = metric.histogram.bucket;  // the last is +Inf
    out.i64(whole(metric.histogram.sample_sum)).u32(static_cast<std::uint32_t>(buckets.size()));
    for (const auto& bucket : buckets)
      out.i64(std::isinf(bucket.upper_bound) ? 0 : whole(bucket.upper_bound))
          .i64(static_cast<std::int64_t>(bucket.cumulative_count));
  }
  return out;
}

std::string ProcessMetrics::show(In& in) {
  for (std::size_t left = in.count(13); left > 0 && in.ok(); --left) {
    const std::uint8_t kind = in.u8();
    const std::string name = in.text(), help = in.text();
    if (!in.ok() || !is_name(name) || help.size() > outcome_text_bytes_max || !is_line(help))
      return "a metric";
    if (!last_.contains(name) && last_.size() >= PluginMetrics::metrics_max) return "too many metrics";
    try {
      if (!show_one(in, kind, name, help)) return "a metric";
    } catch (const std::invalid_argument&) { return "a metric of another kind"; }
  }
  return in.at_end() ? "" : "its metrics are cut off";
}

bool ProcessMetrics::show_one(In& in, std::uint8_t kind, const std::string& name, const std::string& help) {
  const Metrics::Labels labels{{"instance", instance_}};
  Last& last = last_[name];
  const std::int64_t value = in.i64();
  if (kind == gauge) return metrics().gauge(name, help, labels).Set(static_cast<double>(value)), in.ok();
  if (kind == counter) {
    if (value < 0) return false;
    if (value < last.value) last.value = 0;
    metrics().counter(name, help, labels).Increment(static_cast<double>(value - last.value));
    last.value = value;
    return in.ok();
  }
  Last now{value, {}, {}};
  for (std::size_t left = in.count(16); left > 0 && in.ok(); --left) {
    now.bounds.push_back(in.i64());
    now.counts.push_back(in.i64());
  }
  if (kind != histogram || !in.ok() || now.counts.empty() ||
      now.counts.size() > PluginMetrics::bounds_max + 1)
    return false;
  now.bounds.pop_back();  // +Inf has none
  const bool rises = std::is_sorted(now.bounds.begin(), now.bounds.end()) && now.counts.front() >= 0 &&
                     std::is_sorted(now.counts.begin(), now.counts.end());
  if (!rises || (!last.counts.empty() && last.bounds != now.bounds)) return false;
  if (last.counts.empty() || now.counts.back() < last.counts.back())
    last = {0, now.bounds, std::vector<std::int64_t>(now.counts.size(), 0)};
  std::vector<double> more;
  for (std::size_t i = 0; i < now.counts.size(); ++i) {
    const std::int64_t in_bucket = now.counts[i] - (i == 0 ? 0 : now.counts[i - 1]);
    const std::int64_t before = last.counts[i] - (i == 0 ? 0 : last.counts[i - 1]);
    more.push_back(static_cast<double>(std::max<std::int64_t>(0, in_bucket - before)));
  }
  metrics()
      .histogram(name, help, labels, {now.bounds.begin(), now.bounds.end()})
      .ObserveMultiple(more, static_cast<double>(now.value - last.value));
  last = std::move(now);
  return true;
}

}  // namespace orderd::plugins::isolation
