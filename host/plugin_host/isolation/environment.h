#pragma once
// What a process that runs somebody else's code inherits of this host's environment: where things are and how
// one speaks here, and the variables that the plugin's own settings name. Not the host's secrets.
#include <map>
#include <string>
#include <vector>

namespace orderd::plugins {

/// "NAME=value" each. `settings`: a value "env:NAME" gives NAME along. [any thread]
std::vector<std::string> plugin_environment(const std::map<std::string, std::string>& settings);
/// The same as exec wants it; pointers into `variables`.
std::vector<char*> pointers_to(std::vector<std::string>& variables);

}  // namespace orderd::plugins
