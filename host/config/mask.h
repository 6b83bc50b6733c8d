#pragma once
// Keeps secrets out of what is shown or sent away.
#include <string>

namespace orderd::config {

/// A configuration value, without what its key or its text gives away. Names of files are no secrets.
std::string masked(const std::string& key, const std::string& value);
/// Any text, without passwords in URLs (all up to the last '@' of the word) and values of password=, token=,
/// key= and the like.
std::string masked_text(const std::string& text);

}  // namespace orderd::config
