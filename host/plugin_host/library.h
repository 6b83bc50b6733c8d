#pragma once
// One plugin's .so: found, judged and mapped by Boost.DLL, and never unmapped, since threads, thread-locals
// and completions under way may still point into it. [main thread]
#include <orderd/plugin.h>

#include <filesystem>
#include <string>

namespace orderd::plugins {

struct Library {
  std::filesystem::path path;
  std::string digest;  // SHA-256 of the file, hex
  const orderd_descriptor* descriptor = nullptr;
};

/// Maps `path` (relative to `directory` unless absolute) for the instance called `instance`. Refused, with
/// PluginError: a file that is missing, outside `directory`, writable by others, not a plugin, or of another
/// ABI major.
Library load_library(const std::string& instance, const std::filesystem::path& directory,
                     const std::filesystem::path& path);

/// "" if code from this file may run in this process: it belongs to root or to the present user, and nobody
/// but its owner can write it (groups and others may, where the present user owns it: a developer's build
/// tree). Else what is wrong.
std::string ownership_problem(const std::filesystem::path& path);

}  // namespace orderd::plugins
