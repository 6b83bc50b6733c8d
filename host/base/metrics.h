#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace orderd {

/// Named numbers that the parts raise and `/metrics` shows (Prometheus text format 0.0.4). A reference stays
/// valid for the registry's life; look it up once. Names follow Prometheus: `orderd_orders_accepted_total`.
/// [any thread]
class Metrics {
 public:
  using Value = std::atomic<std::int64_t>;
  /// How long things took: counts by upper bound, 1 ms to 5 min, and their sum; shown in seconds. [any
  /// thread]
  class Histogram {
   public:
    static constexpr std::array<std::int64_t, 16> bounds_ms{
        1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10'000, 30'000, 60'000, 300'000};
    void observe(std::chrono::milliseconds time);
    /// Those up to bound i and above the one before; of the last, above all bounds.
    std::int64_t count(std::size_t i) const { return counts_[i].load(std::memory_order_relaxed); }
    std::int64_t sum_ms() const { return sum_ms_.load(std::memory_order_relaxed); }

   private:
    std::array<Value, bounds_ms.size() + 1> counts_{};  // the last: above all bounds
    Value sum_ms_{0};
  };
  /// Only ever rises; its name ends in `_total`. `name` may carry labels:
  /// `orderd_lag_events{consumer="relay"}`.
  Value& counter(const std::string& name, const std::string& help);
  Value& gauge(const std::string& name, const std::string& help);
  /// Its name ends in `_seconds`.
  Histogram& histogram(const std::string& name, const std::string& help);
  std::string to_text() const;
  struct Sample {
    std::string name, help;
    bool counter = false;
    std::int64_t value = 0;
  };
  /// Counters and gauges.
  std::vector<Sample> samples() const;

 private:
  struct Entry {
    std::string help, type;
    std::unique_ptr<Value> value;
    std::unique_ptr<Histogram> histogram;
  };
  Value& entry(const std::string& name, const std::string& help, const char* type);
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;  // guarded by mutex_
};

/// The process's own.
Metrics& metrics();

}  // namespace orderd
