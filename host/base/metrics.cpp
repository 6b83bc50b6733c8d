#include "base/metrics.h"

namespace orderd {

Metrics::Value& Metrics::entry(const std::string& name, const std::string& help, const char* type) {
  std::lock_guard lock(mutex_);
  Entry& entry = entries_[name];
  if (!entry.value) entry = {help, type, std::make_unique<Value>(0)};
  return *entry.value;
}

Metrics::Value& Metrics::counter(const std::string& name, const std::string& help) {
  return entry(name, help, "counter");
}
Metrics::Value& Metrics::gauge(const std::string& name, const std::string& help) {
  return entry(name, help, "gauge");
}

std::string Metrics::to_text() const {
  std::lock_guard lock(mutex_);
  std::string text, family;
  for (const auto& [name, entry] : entries_) {
    const std::string base = name.substr(0, name.find('{'));
    if (base != family) {
      family = base;
      text += "# HELP " + base + " " + entry.help + "\n# TYPE " + base + " " + entry.type + "\n";
    }
    text += name + " " + std::to_string(entry.value->load(std::memory_order_relaxed)) + "\n";
  }
  return text;
}

Metrics& metrics() {
  static Metrics instance;
  return instance;
}

}  // namespace orderd
