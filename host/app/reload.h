#pragma once
// SIGHUP: reads the configuration again and takes over what can change while running. What cannot is named in
// the log and waits for a restart; if anything is wrong, nothing is taken over. [main thread]
#include <functional>
#include <map>
#include <string>

#include "config/settings.h"

namespace orderd {

class Reload {
 public:
  using Apply = std::function<void(const config::Settings&)>;

  Reload(std::string file, char** environment);

  const config::Settings& settings() const { return settings_; }
  /// When a key that begins with `prefix` has changed, `apply` gets the new settings. It may throw: those
  /// that were called before it get the old ones again.
  void on(std::string prefix, Apply apply);
  /// Never throws.
  void run();

 private:
  void apply(const std::set<std::string>& keys, const config::Settings& fresh);
  void take_over(const config::RawValues& values, config::Settings settings);
  const std::string file_;
  char** const environment_;
  config::RawValues values_;
  config::Settings settings_;
  std::map<std::string, Apply> appliers_;  // by prefix
};

}  // namespace orderd
