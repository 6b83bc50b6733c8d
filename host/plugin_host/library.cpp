#include "plugin_host/library.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/dll/shared_library.hpp>
#include <cstring>
#include <deque>
#include <fstream>
#include <sstream>

#include "base/sha256.h"
#include "plugin_host/error.h"

namespace orderd::plugins {
namespace {

namespace dll = boost::dll;

/// RTLD_NOW: a missing symbol shows here, not in the middle of a payment. RTLD_LOCAL: two plugins' symbols do
/// not meet. No DEEPBIND: plugins built against libc++ abort under it.
constexpr auto load_mode = dll::load_mode::rtld_now | dll::load_mode::rtld_local;

/// Majors that a wrong plugin is asked for, to be able to say which one it has.
constexpr unsigned known_major_max = 16;

std::string file_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return std::move(bytes).str();
}

bool inside(const std::filesystem::path& directory, const std::filesystem::path& path) {
  const auto relative = path.lexically_relative(directory);
  return !relative.empty() && *relative.begin() != "..";
}

/// Never destroyed, so never unmapped: see the header.
const dll::shared_library& keep(dll::shared_library library) {
  static auto& kept = *new std::deque<dll::shared_library>;
  return kept.emplace_back(std::move(library));
}

/// A copy that broke off: the loader would map what is not there, and the first touch of it kills the host.
bool is_cut_short(const std::string& bytes) {
  ElfW(Ehdr) head;
  if (bytes.size() < sizeof head) return false;  // the loader notices
  std::memcpy(&head, bytes.data(), sizeof head);
  if (std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_phentsize != sizeof(ElfW(Phdr))) return false;
  for (std::size_t i = 0; i < head.e_phnum; ++i) {
    ElfW(Phdr) segment;
    const std::size_t at = head.e_phoff + i * sizeof segment;
    if (at > bytes.size() || bytes.size() - at < sizeof segment) return true;
    std::memcpy(&segment, bytes.data() + at, sizeof segment);
    const bool fits = segment.p_offset <= bytes.size() && segment.p_filesz <= bytes.size() - segment.p_offset;
    if (segment.p_type == PT_LOAD && !fits) return true;
  }
  return false;
}

std::string entry_name(unsigned major) { return "orderd_plugin_entry_v" + std::to_string(major); }

/// The loader's own words, without the path that our message has anyway.
std::string loader_message(const std::filesystem::path& path) {
  const char* text = dlerror();
  std::string message = text ? text : "the loader gave no reason";
  const std::string prefix = path.string() + ": ";
  return message.rfind(prefix, 0) == 0 ? message.substr(prefix.size()) : message;
}

}  // namespace

std::string ownership_problem(const std::filesystem::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return "it cannot be examined";
  const bool mine = status.st_uid == geteuid();
  if (!mine && status.st_uid != 0)
    return "it belongs to user " + std::to_string(status.st_uid) +
           ", neither root nor the user orderd runs as";
  if ((status.st_mode & S_IWOTH) != 0 || (!mine && (status.st_mode & S_IWGRP) != 0)) return "others than its owner can write it";
  return "";
}

Library load_library(const std::string& instance, const std::filesystem::path& directory,
                     const std::filesystem::path& path) {
  std::error_code failed;
  const auto root = std::filesystem::weakly_canonical(directory, failed);
  const auto file = std::filesystem::weakly_canonical(root / path, failed);
  if (!inside(root, file))
    fail(instance, file, "it is outside the plugin directory " + root.string(), "move it there");
  if (!std::filesystem::is_regular_file(file, failed))
    fail(instance, file, "there is no such file",
         "install the package that brings it, or correct the library's name");
  if (const auto problem = ownership_problem(file); !problem.empty())
    fail(instance, file, problem, "chown it to root and chmod it to 0644");

  const std::string bytes = file_bytes(file);
  if (is_cut_short(bytes))
    fail(instance, file, "it is not a loadable library (the file is cut short)", "copy or install it again");
  dlerror();
  boost::system::error_code error;
  dll::shared_library library;
  library.load(file.string(), load_mode, error);
  if (error)
    fail(instance, file, "it is not a loadable library (" + loader_message(file) + ")",
         "install a build for this machine");

  const dll::shared_library& mapped = keep(std::move(library));
  if (!mapped.has(ORDERD_PLUGIN_ENTRY)) {
    for (unsigned major = 0; major <= known_major_max; ++major)
      if (mapped.has(entry_name(major)))
        fail(instance, file,
             "it was built for plugin ABI " + std::to_string(major) + ", this host has " +
                 std::to_string(ORDERD_ABI_MAJOR),
             "install a build of it for ABI " + std::to_string(ORDERD_ABI_MAJOR));
    fail(instance, file, "it is not an orderd plugin (no symbol " ORDERD_PLUGIN_ENTRY ")",
         "correct the library's name");
  }
  const orderd_descriptor* descriptor = mapped.get<const orderd_descriptor*()>(ORDERD_PLUGIN_ENTRY)();
  if (!descriptor || !ORDERD_HAS(descriptor, orderd_descriptor, create) || !descriptor->create ||
      !descriptor->name || !descriptor->version || !descriptor->vendor ||
      descriptor->abi_major != ORDERD_ABI_MAJOR)
    fail(instance, file, "its descriptor is damaged", "report it to the plugin's vendor");
  return {file, sha256_hex(bytes), descriptor};
}

}  // namespace orderd::plugins
