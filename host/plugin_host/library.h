#pragma once
// One plugin's .so: opened once, judged and mapped through that descriptor by Boost.DLL, and never unmapped,
// since threads, thread-locals and completions under way may still point into it. [one thread at a time]
#include <orderd/plugin.h>

#include <filesystem>
#include <string>
#include <vector>

#include "plugin_host/trust.h"

namespace orderd::plugins {

struct Library {
  std::filesystem::path path;
  std::string digest;  // SHA-256 of the file, hex
  const orderd_descriptor* descriptor = nullptr;
};

/// Where libraries may come from, and whose they may be.
struct LibrarySource {
  std::filesystem::path directory;
  Trust trust{};
};

/// A file that may be loaded, without its being loaded.
struct LibraryFile {
  std::filesystem::path path;
  std::string digest;
};
/// Everything of load_library() that can be told from the file alone.
LibraryFile judge_library(const std::string& instance, const LibrarySource& source,
                          const std::filesystem::path& path, const std::string& digest = {});

/// Maps `path` (relative to the source's directory unless absolute) for the instance called `instance`. Of
/// the file that is judged the same bytes are mapped: it is loaded by its descriptor, which stays open, for
/// the loader knows the library by that number. Refused, with PluginError: a file that is missing, outside
/// the directory, in reach of others (trust.h), not a plugin, of another ABI major, or not the build `digest`
/// (if that is given).
Library load_library(const std::string& instance, const LibrarySource& source,
                     const std::filesystem::path& path, const std::string& digest = {});

}  // namespace orderd::plugins
