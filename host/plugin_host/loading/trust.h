#pragma once
// Whose code may run in this process. As sudo does with its files: the file, and every folder above it, must
// be in the hands of people who could replace the host as well.
#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

namespace orderd::plugins {

struct Trust {
  /// A user besides root and the present one: plugins.trusted_owner.
  std::optional<uid_t> developer{};
  /// Whether the folders above are looked at, too; not where a developer is named, whose build tree may lie
  /// anywhere.
  bool folders = true;
};

/// "" if `path` belongs to root, the present user or the developer, and nobody but its owner can write it
/// (groups may, where the owner is not root: a build tree). Else what is wrong.
std::string ownership_problem(const std::filesystem::path& path, const Trust& trust = {});
/// The same of an open file.
std::string ownership_problem(int descriptor, const Trust& trust = {});
/// The same of the folders above `path`, which is absolute and free of links, up to the root: "" or what is
/// wrong with which. A sticky folder of root's, such as /tmp, passes: files of others cannot be replaced
/// there.
std::string folders_problem(const std::filesystem::path& path, const Trust& trust = {});

}  // namespace orderd::plugins
