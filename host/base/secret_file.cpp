#include "base/secret_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace orderd {
namespace {

std::string owner_problem(const struct stat& status, const std::string& path) {
  if (status.st_uid == 0 || status.st_uid == geteuid()) return "";
  return "belongs to user " + std::to_string(status.st_uid) +
         ", neither root nor the user that orderd runs as: `chown root " + path + "`";
}

}  // namespace

std::string secret_path(const std::string& path) {
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (!directory || !*directory || path.empty()) return path;
  const std::filesystem::path wanted = path;
  const std::string file = wanted.filename(), folder = wanted.parent_path().filename();
  for (const std::string& name : {file, folder + "_" + file}) {
    std::error_code failed;
    const auto credential = std::filesystem::path(directory) / name;
    if (std::filesystem::is_regular_file(credential, failed)) return credential;
  }
  return path;
}

std::string read_secret(const std::string& key, const std::string& path) {
  const std::string actual = secret_path(path);
  struct stat status {};
  if (::stat(actual.c_str(), &status) != 0)
    throw std::runtime_error(key + ": cannot read " + path + ": " + std::strerror(errno) +
                             "; make it, for a key with `openssl rand -hex 32 > " + path + " && chmod 600 " +
                             path + "`");
  // A credential's mode is systemd's affair: an access list for the service shows as rights of the group.
  if (actual == path) {
    if (const auto problem = owner_problem(status, path); !problem.empty())
      throw std::runtime_error(key + ": " + path + " " + problem);
    if ((status.st_mode & 077) != 0)
      throw std::runtime_error(key + ": " + path + " can be read by others: `chmod 600 " + path + "`");
  }
  std::ifstream file(actual, std::ios::binary);
  if (!file)
    throw std::runtime_error(key + ": cannot read " + path + ": " + std::strerror(errno) +
                             "; it must be readable by the user that orderd runs as");
  std::ostringstream content;
  content << file.rdbuf();
  std::string text = std::move(content).str();
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (text.empty()) throw std::runtime_error(key + ": " + path + " is empty: put the secret in it");
  return text;
}

std::string trust_problem(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return "cannot be read: " + std::string(std::strerror(errno));
  if (const auto problem = owner_problem(status, path); !problem.empty()) return problem;
  const bool group_of_stranger =
      (status.st_mode & S_IWGRP) != 0 && status.st_gid != 0 && status.st_gid != getegid();
  if ((status.st_mode & S_IWOTH) != 0 || group_of_stranger)
    return "can be written by others than its owner: `chmod go-w " + path + "`";
  return "";
}

}  // namespace orderd
