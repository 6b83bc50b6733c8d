#include "base/metrics.h"

#include <prometheus/text_serializer.h>

namespace orderd {

Metrics::Counter& Metrics::counter(const std::string& name, const std::string& help, const Labels& labels) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry_).Add(labels);
}

Metrics::Gauge& Metrics::gauge(const std::string& name, const std::string& help, const Labels& labels) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry_).Add(labels);
}

Metrics::Histogram& Metrics::durations(const std::string& name, const std::string& help,
                                       const Labels& labels) {
  return histogram(name, help, labels,
                   {.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 30, 60, 300});
}

Metrics::Histogram& Metrics::histogram(const std::string& name, const std::string& help, const Labels& labels,
                                       const std::vector<double>& bounds) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry_).Add(labels, bounds);
}

std::string Metrics::to_text() const { return prometheus::TextSerializer().Serialize(collect()); }

Metrics& metrics() {
  static Metrics instance;
  return instance;
}

}  // namespace orderd
