#include "plugin_host/loading/trust.h"

#include <sys/stat.h>
#include <unistd.h>

namespace orderd::plugins {
namespace {

std::string problem_of(const struct stat& status, const Trust& trust) {
  const bool developers =
      status.st_uid == geteuid() || (trust.developer && status.st_uid == *trust.developer);
  if (!developers && status.st_uid != 0)
    return "it belongs to user " + std::to_string(status.st_uid) +
           ", neither root nor the user orderd runs as";
  const bool by_others = (status.st_mode & S_IWOTH) != 0;
  const bool by_group = (status.st_mode & S_IWGRP) != 0;
  return by_others || (by_group && !developers) ? "others than its owner can write it" : "";
}

}  // namespace

std::string ownership_problem(const std::filesystem::path& path, const Trust& trust) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? problem_of(status, trust) : "it cannot be examined";
}

std::string ownership_problem(int descriptor, const Trust& trust) {
  struct stat status {};
  return fstat(descriptor, &status) == 0 ? problem_of(status, trust) : "it cannot be examined";
}

std::string folders_problem(const std::filesystem::path& path, const Trust& trust) {
  if (!trust.folders) return "";
  for (auto folder = path.parent_path();; folder = folder.parent_path()) {
    struct stat status {};
    if (lstat(folder.c_str(), &status) != 0) return "its folder " + folder.string() + " cannot be examined";
    const bool sticky = (status.st_mode & S_ISVTX) != 0 && status.st_uid == 0;
    if (const auto problem = problem_of(status, trust); !problem.empty() && !sticky)
      return "its folder " + folder.string() + " is not safe: " + problem;
    if (folder == folder.parent_path()) return "";
  }
}

}  // namespace orderd::plugins
