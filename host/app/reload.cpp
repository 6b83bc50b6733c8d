#include "app/reload.h"

#include "app/check_child.h"
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

bool starts_with_prefix(const std::set<std::string>& keys, const std::string& prefix) {
  const auto first = keys.lower_bound(prefix);
  return first != keys.end() && first->starts_with(prefix);
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
    log_info("main", "the configuration is judged in a process of its own, which may take some seconds");
    if (const auto problem = problem_of_files(file_, environment_); !problem.empty())
      throw config::ConfigError(problem);
    take_over(values, std::move(settings));
  } catch (const std::exception& error) {
    log_error("main", "the configuration was not taken over, everything stays as it was",
              {{"error", error.what()}});
  }
  service::ready();
}

void Reload::apply(const std::set<std::string>& keys, const config::Settings& fresh) {
  std::vector<const Apply*> done;
  try {
    for (const auto& [prefix, change] : appliers_) {
      if (!starts_with_prefix(keys, prefix)) continue;
      change(fresh);
      done.push_back(&change);
    }
  } catch (...) {
    for (const Apply* one : done) (*one)(settings_);
    throw;
  }
}

void Reload::take_over(const config::RawValues& values, config::Settings settings) {
  std::set<std::string> left = changes(values_, values);
  apply(left, settings);
  std::string taken, waiting;
  const auto add = [](std::string& list, const std::string& key) {
    list.append(list.empty() ? "" : ", ").append(key);
  };
  for (const auto& [prefix, change] : appliers_)
    for (auto key = left.lower_bound(prefix); key != left.end() && key->starts_with(prefix);
         key = left.erase(key)) {
      const auto now = values.find(*key);
      now == values.end() ? void(values_.erase(*key)) : void(values_[*key] = now->second);
      add(taken, *key);
    }
  for (const std::string& key : left) add(waiting, key);
  settings_ = std::move(settings);
  log_info("main", "the configuration was read again", {{"taken_over", taken}, {"at_restart", waiting}});
}

}  // namespace orderd
