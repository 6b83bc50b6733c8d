#pragma once
// One plugin's .so: opened once, read, judged, and mapped by Boost.DLL from a sealed copy in memory: whoever
// writes over the file later changes nothing of what runs. Never unmapped, since threads, thread-locals and
// completions under way may still point into it; the same bytes are mapped once. [any thread]
#include <orderd/plugin.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "plugin_host/loading/trust.h"

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

/// A file that may be loaded, without its being loaded: its bytes, which nobody can change any more.
struct LibraryFile {
  std::filesystem::path path;
  std::string digest;
  std::shared_ptr<const Descriptor> copy;
};
/// Everything of load_library() that can be told from the file alone.
LibraryFile judge_library(const std::string& instance, const LibrarySource& source,
                          const std::filesystem::path& path, const std::string& digest = {});

/// Maps a judged file for the instance called `instance`.
Library map_library(const std::string& instance, const LibraryFile& file);
/// Judges and maps `path` (relative to the source's directory unless absolute). Refused, with PluginError: a
/// file that is missing, outside the directory, in reach of others (trust.h), not a plugin, of another ABI
/// major, or not the build `digest` (if that is given).
Library load_library(const std::string& instance, const LibrarySource& source,
                     const std::filesystem::path& path, const std::string& digest = {});

}  // namespace orderd::plugins
