#pragma once
// A plugin's settings schema, as far as the checker needs it.
#include <orderd/plugin.h>

#include <map>
#include <string>
#include <vector>

namespace orderd::checker {

/// "" without one.
std::string schema_of(const orderd_descriptor* descriptor);
/// What is wrong with it, "" if nothing.
std::string schema_problem(const std::string& schema);
std::map<std::string, std::string> defaults_of(const std::string& schema);
/// Whether a key that it does not name is refused.
bool is_closed(const std::string& schema);

}  // namespace orderd::checker
