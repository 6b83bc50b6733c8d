#pragma once
#include <atomic>
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
  /// Only ever rises; its name ends in `_total`. `name` may carry labels:
  /// `orderd_lag_events{consumer="relay"}`.
  Value& counter(const std::string& name, const std::string& help);
  Value& gauge(const std::string& name, const std::string& help);
  std::string to_text() const;
  struct Sample {
    std::string name, help;
    bool counter = false;
    std::int64_t value = 0;
  };
  std::vector<Sample> samples() const;

 private:
  struct Entry {
    std::string help, type;
    std::unique_ptr<Value> value;
  };
  Value& entry(const std::string& name, const std::string& help, const char* type);
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;  // guarded by mutex_
};

/// The process's own.
Metrics& metrics();

}  // namespace orderd
