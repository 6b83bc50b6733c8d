#include "plugin_host/loading/build_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/sha256.h"

namespace orderd::plugins {
namespace {

/// Whole and on the disk, or false with errno.
bool write_file(const std::filesystem::path& file, std::string_view bytes) {
  const int out = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (out < 0) return false;
  bool whole = true;
  while (whole && !bytes.empty()) {
    const ssize_t written = write(out, bytes.data(), bytes.size());
    whole = written > 0;
    if (whole) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  whole = whole && fchmod(out, 0644) == 0 && fsync(out) == 0;
  return close(out) == 0 && whole;
}

}  // namespace

std::optional<std::filesystem::path> BuildStore::find(const std::string& digest) const {
  std::error_code failed;
  const auto file = folder_ / (digest + ".so");
  if (folder_.empty() || !std::filesystem::is_regular_file(file, failed)) return std::nullopt;
  return file;
}

std::string BuildStore::keep(const std::filesystem::path& file, std::string& problem) const {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  if (!in) return problem = file.string() + " cannot be read", "";
  const std::string content = std::move(bytes).str();
  const std::string digest = sha256_hex(content);
  if (find(digest)) return digest;
  std::error_code failed;
  std::filesystem::create_directories(folder_, failed);
  // A name of its own for each process: two hosts may keep the same build at the same time.
  const auto fresh = folder_ / ("." + digest + "." + std::to_string(getpid()));
  const auto at = folder_ / (digest + ".so");
  if (folder_.empty() || !write_file(fresh, content) || rename(fresh.c_str(), at.c_str()) != 0) {
    problem = folder_.string() + ": " + std::strerror(errno);
    std::filesystem::remove(fresh, failed);
    return "";
  }
  return digest;
}

std::optional<std::string> BuildStore::seen(const std::string& instance) const {
  std::ifstream in(folder_ / (instance + ".file"));
  std::string digest;
  if (folder_.empty() || !std::getline(in, digest) || digest.empty()) return std::nullopt;
  return digest;
}

void BuildStore::saw(const std::string& instance, const std::string& digest) const {
  if (folder_.empty() || seen(instance) == digest) return;
  const auto at = folder_ / (instance + ".file");
  const auto fresh = folder_ / ("." + instance + ".file." + std::to_string(getpid()));
  std::error_code failed;
  if (!write_file(fresh, digest + "\n") || rename(fresh.c_str(), at.c_str()) != 0)
    std::filesystem::remove(fresh, failed);
}

BuildStore::Description BuildStore::describe(const std::string& instance, const std::string& digest) const {
  const auto library = load_library(instance, source(), digest + ".so", digest);
  return {library.descriptor->name, library.descriptor->version};
}

}  // namespace orderd::plugins
