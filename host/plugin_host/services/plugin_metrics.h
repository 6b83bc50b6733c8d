#pragma once
// "orderd.metrics/1" of one instance: numbers on the host's /metrics page, labelled with the instance. [any
// thread]
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "base/metrics.h"

namespace orderd::plugins {

class PluginMetrics {
 public:
  static constexpr std::size_t metrics_max = 100;
  static constexpr std::size_t bounds_max = 20;
  enum class Kind { counter = 1, gauge = 2, histogram = 3 };

  explicit PluginMetrics(std::string instance) : instance_(std::move(instance)) { all_.reserve(metrics_max); }

  struct Declared {
    std::uint32_t number = 0;  // 0: refused
    bool full = false;
    std::string problem;
  };
  Declared declare(Kind kind, const std::string& name, const std::string& help,
                   const std::vector<std::int64_t>& bounds);
  void add(std::uint32_t number, std::int64_t amount);
  void set(std::uint32_t number, std::int64_t value);
  void observe(std::uint32_t number, std::int64_t value);

 private:
  struct Metric {
    Kind kind;
    std::string name;
    // One of the three.
    Metrics::Counter* counter = nullptr;
    Metrics::Gauge* gauge = nullptr;
    Metrics::Histogram* histogram = nullptr;
  };
  const Metric* find(std::uint32_t number, Kind kind);

  const std::string instance_;
  std::mutex mutex_;
  std::vector<Metric> all_;             // grows under mutex_, never moves
  std::atomic<std::size_t> count_ = 0;  // of all_, for those who hold no lock
};

}  // namespace orderd::plugins
