// Inside fake_host.hpp: the functions behind the tables that a plugin gets.
#ifndef ORDERD_TESTING_FAKE_TABLES_HPP
#define ORDERD_TESTING_FAKE_TABLES_HPP

#include <orderd/clock.h>
#include <orderd/log.h>
#include <orderd/metrics.h>
#include <orderd/settings.h>
#include <orderd/step.h>

#include "fake_host.hpp"
#include "sha256.hpp"

namespace orderd::testing {

/// The functions behind the tables: C on the outside, the fake host inside.
struct FakeHost::Tables {
  static void log(const orderd_host* host, std::int32_t level, const orderd_uuid*, orderd_view line) {
    FakeHost& self = of(host);
    if (!is_text(sdk::text(line))) self.violation("it logged what is not UTF-8");
    std::lock_guard lock(self.mutex_);
    self.log_.push_back({level, std::string(sdk::text(line))});
  }
  static orderd_status get(const orderd_host* host, const char* key, orderd_view* value) {
    *value = {nullptr, 0};
    for (const auto& [name, text] : of(host).settings_)
      if (name == key) return *value = {text.data(), text.size()}, ORDERD_OK;
    return ORDERD_E_NOT_FOUND;
  }
  static std::uint32_t count(const orderd_host* host) {
    return static_cast<std::uint32_t>(of(host).settings_.size());
  }
  static orderd_status at(const orderd_host* host, std::uint32_t i, orderd_view* key, orderd_view* value) {
    *key = *value = {nullptr, 0};
    if (i >= count(host)) return ORDERD_E_NOT_FOUND;
    const auto& [name, text] = of(host).settings_[i];
    *key = {name.data(), name.size()}, *value = {text.data(), text.size()};
    return ORDERD_OK;
  }
  static orderd_status complete(const orderd_host* host, orderd_ticket ticket,
                                const orderd_outcome* outcome) {
    return host ? of(host).complete(ticket, outcome) : ORDERD_E_INVALID;
  }
  static orderd_status call_after(const orderd_host* host, std::int64_t delay, orderd_timer_call call,
                                  void* data, std::uint64_t* timer) {
    if (!call || delay < 0) return ORDERD_E_INVALID;
    const std::uint64_t number = of(host).timers_.call(delay, [call, data] { call(data); });
    if (timer) *timer = number;
    return number == 0 ? ORDERD_E_STALE : ORDERD_OK;
  }
  static orderd_status declare(const orderd_host* host, const orderd_metric* metric, std::uint32_t* number,
                               orderd_error* error) {
    FakeHost& self = of(host);
    const std::string name(metric ? sdk::text(metric->name) : "");
    const auto sound = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
    if (name.empty() || name.size() > 60 || !std::all_of(name.begin(), name.end(), sound))
      return refused(error, ORDERD_E_INVALID, "INVALID", "a metric's name is [a-z][a-z0-9_]*: " + name);
    std::lock_guard lock(self.mutex_);
    auto at = std::find_if(self.metrics_.begin(), self.metrics_.end(),
                           [&](const auto& one) { return one.first == name; });
    if (at == self.metrics_.end()) at = self.metrics_.insert(at, {name, 0});
    *number = static_cast<std::uint32_t>(at - self.metrics_.begin()) + 1;
    return ORDERD_OK;
  }
  static void change(const orderd_host* host, std::uint32_t number, std::int64_t by, bool set) {
    FakeHost& self = of(host);
    std::lock_guard lock(self.mutex_);
    if (number == 0 || number > self.metrics_.size()) return;
    std::int64_t& value = self.metrics_[number - 1].second;
    value = set ? by : value + by;
  }
  static void hmac(const orderd_host*, orderd_view key, orderd_view message, std::uint8_t out[32]) {
    std::memcpy(out, hmac_sha256(sdk::text(key), sdk::text(message)).data(), 32);
  }
};

}  // namespace orderd::testing
#endif
