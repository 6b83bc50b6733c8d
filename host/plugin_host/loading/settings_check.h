#pragma once
// The settings of an instance, judged by its plugin's JSON Schema before there is an instance (settings.h of
// the ABI says what a schema may say). Pure, but for reading the files that secrets name.
#include <map>
#include <string>
#include <vector>

#include "plugin_host/loading/library.h"

namespace orderd::plugins {

struct CheckedSettings {
  std::map<std::string, std::string> values;  // with defaults, secrets resolved
  std::vector<std::string> secrets;           // values that must not be seen in a log
};

/// Throws PluginError: which key, which value (of a secret: none), what was expected. Without a schema
/// everything passes as it is. `secrets` were read by the host already, and win. `older`: what the schema
/// does not know is left out instead of refused.
CheckedSettings check_settings(const std::string& instance, const Library& library,
                               const std::map<std::string, std::string>& given,
                               const std::map<std::string, std::string>& secrets = {}, bool older = false);

}  // namespace orderd::plugins
