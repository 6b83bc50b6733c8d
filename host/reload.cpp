#include "reload.h"

#include "base/log.h"
#include "base/service.h"

namespace orderd {
namespace {

/// The keys whose values are not the same in both.
std::set<std::string> changes(const config::RawValues& before, const config::RawValues& after) {
  std::set<std::string> keys;
  for (const auto& [key, raw] : before)
    if (const auto found = after.find(key); found == after.end() || found->second.value != raw.value)
      keys.insert(key);
  for (const auto& [key, raw] : after)
    if (!before.contains(key)) keys.insert(key);
  return keys;
}

}  // namespace

Reload::Reload(std::string file, char** environment)
    : file_(std::move(file)), environment_(environment), values_(config::read_values(file_, environment)) {
  settings_ = config::from_values(values_);
  config::read_secrets(settings_);
}

void Reload::on(std::string prefix, Apply apply) { appliers_[std::move(prefix)] = std::move(apply); }

void Reload::run() {
  service::reloading();
  try {
    auto values = config::read_values(file_, environment_);
    auto settings = config::from_values(values);
    config::read_secrets(settings);
    take_over(values, std::move(settings));
  } catch (const std::exception& error) {
    log_error("main", "the configuration was not taken over, everything stays as it was",
              {{"error", error.what()}});
  }
  service::ready();
}

void Reload::take_over(const config::RawValues& values, config::Settings settings) {
  std::set<std::string> left = changes(values_, values);
  std::string taken, waiting;
  const auto add = [](std::string& list, const std::string& key) {
    list.append(list.empty() ? "" : ", ").append(key);
  };
  for (const auto& [prefix, apply] : appliers_) {
    std::set<std::string> keys;
    for (const std::string& key : left)
      if (key.starts_with(prefix)) keys.insert(key);
    if (keys.empty()) continue;
    try {
      apply(settings);
    } catch (const std::exception& error) {
      log_error("main", "a changed setting was not taken over, its part stays as it was",
                {{"keys", prefix}, {"error", error.what()}});
      continue;  // among those that wait, so that the next reload tries again
    }
    for (const std::string& key : keys) {
      const auto now = values.find(key);
      now == values.end() ? void(values_.erase(key)) : void(values_[key] = now->second);
      left.erase(key);
      add(taken, key);
    }
  }
  for (const std::string& key : left) add(waiting, key);
  settings_ = std::move(settings);
  log_info("main", "the configuration was read again", {{"taken_over", taken}, {"at_restart", waiting}});
}

}  // namespace orderd
