#include "base/secret_file.h"

#include <pwd.h>
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

std::string user_name(uid_t number) {
  const passwd* user = ::getpwuid(number);
  return user ? user->pw_name : "user " + std::to_string(number);
}

[[noreturn]] void cannot_read(const std::string& key, const std::string& path, int error) {
  std::string line = key + ": cannot read " + path + ": " + std::strerror(error);
  if (error == ENOENT && key == "secrets.key_file")
    line +=
        "; put it back from the backup if this database had one; for a new database `orderctl setup` makes "
        "it, or `openssl rand -hex 32 > " +
        path + " && chmod 600 " + path + "`";
  else if (error == ENOENT)
    line += "; put the secret in it, or correct " + key;
  if (error == EACCES) {
    struct stat status {};
    // The file, or the first folder above it that is not closed to us.
    std::filesystem::path seen = path;
    while (::stat(seen.c_str(), &status) != 0 && seen.has_relative_path()) seen = seen.parent_path();
    line += "; this runs as " + user_name(geteuid()) + ", and " + seen.string() + " is " +
            user_name(status.st_uid) +
            "'s alone: start orderd by systemd, which hands it the content, and orderctl with sudo";
  }
  throw std::runtime_error(line);
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
  if (::stat(actual.c_str(), &status) != 0) cannot_read(key, path, errno);
  if (!S_ISREG(status.st_mode))
    throw std::runtime_error(key + ": " + path + " is not a file: name the file that holds the secret");
  // A credential's mode is systemd's affair: an access list for the service shows as rights of the group.
  if (actual == path) {
    if (const auto problem = owner_problem(status, path); !problem.empty())
      throw std::runtime_error(key + ": " + path + " " + problem);
    if ((status.st_mode & 077) != 0)
      throw std::runtime_error(key + ": " + path + " can be read by others: `chmod 600 " + path + "`");
  }
  std::ifstream file(actual, std::ios::binary);
  if (!file) cannot_read(key, path, errno);
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
