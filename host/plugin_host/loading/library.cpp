#include "plugin_host/loading/library.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/dll/shared_library.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>

#include "base/descriptor.h"
#include "base/sha256.h"
#include "plugin_host/calling/translate.h"
#include "plugin_ports/error.h"

namespace orderd::plugins {
namespace {

namespace dll = boost::dll;

/// RTLD_NOW: a missing symbol shows here, not in the middle of a payment. RTLD_LOCAL: two plugins' symbols do
/// not meet. No DEEPBIND: plugins built against libc++ abort under it.
constexpr auto load_mode = dll::load_mode::rtld_now | dll::load_mode::rtld_local;

/// Majors that a wrong plugin is asked for, to be able to say which one it has.
constexpr unsigned known_major_max = 16;

bool is_regular(int descriptor) {
  struct stat status {};
  return fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

std::filesystem::path path_of(int descriptor) { return "/proc/self/fd/" + std::to_string(descriptor); }

std::string file_bytes(int descriptor) {
  std::ifstream file(path_of(descriptor), std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return std::move(bytes).str();
}

bool inside(const std::filesystem::path& directory, const std::filesystem::path& path) {
  const auto relative = path.lexically_relative(directory);
  return !relative.empty() && *relative.begin() != "..";
}

/// A library and the descriptor of its bytes: the loader knows it by that number.
struct Mapped {
  dll::shared_library library;
  std::shared_ptr<const Descriptor> copy;
};
/// By digest. Never destroyed, so never unmapped: see the header.
struct AllMapped {
  std::mutex mutex;
  std::map<std::string, Mapped> by_digest;  // guarded by mutex
};
AllMapped& all_mapped() {
  static auto& all = *new AllMapped;
  return all;
}

/// The bytes where no name leads to, sealed against every change; nullptr with errno. Nobody has mapped them
/// to write, so F_SEAL_FUTURE_WRITE says as much as F_SEAL_WRITE, which fails with EBUSY while the kernel
/// itself holds one of the pages (Linux, mm/memfd.c).
std::shared_ptr<const Descriptor> sealed_copy(std::string_view bytes) {
  auto copy = std::make_shared<const Descriptor>(memfd_create("plugin", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  while (copy->number() >= 0 && !bytes.empty()) {
    const ssize_t written = write(copy->number(), bytes.data(), bytes.size());
    if (written <= 0) return nullptr;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  constexpr int seals = F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  return copy->number() >= 0 && fcntl(copy->number(), F_ADD_SEALS, seals) == 0 ? copy : nullptr;
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

/// Texts of a descriptor go into the log and into PostgreSQL.
bool is_label(const char* text) {
  constexpr std::size_t bytes_max = 100;
  if (!text || !*text || strnlen(text, bytes_max + 1) > bytes_max || !is_utf8_text(text)) return false;
  for (; *text; ++text)
    if (static_cast<unsigned char>(*text) < ' ' || *text == 0x7f) return false;
  return true;
}

std::string descriptor_problem(const orderd_descriptor* descriptor) {
  if (!descriptor || !ORDERD_HAS(descriptor, orderd_descriptor, create) || !descriptor->create)
    return "its descriptor is damaged";
  if (descriptor->abi_major != ORDERD_ABI_MAJOR)
    return "its abi_major is " + std::to_string(descriptor->abi_major) + ", not " +
           std::to_string(ORDERD_ABI_MAJOR);
  const std::pair<const char*, const char*> texts[] = {
      {"name", descriptor->name}, {"version", descriptor->version}, {"vendor", descriptor->vendor}};
  for (const auto& [field, text] : texts)
    if (!is_label(text))
      return std::string("its ") + field + " is missing, longer than 100 bytes, or not one line of UTF-8";
  return "";
}

const orderd_descriptor* descriptor_of(const std::string& instance, const std::filesystem::path& file,
                                       const dll::shared_library& mapped) {
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
  const std::string problem = descriptor_problem(descriptor);
  if (!problem.empty()) fail(instance, file, problem, "report it to the plugin's vendor");
  return descriptor;
}

}  // namespace

LibraryFile judge_library(const std::string& instance, const LibrarySource& source,
                          const std::filesystem::path& path, const std::string& wanted) {
  std::error_code failed;
  const auto root = std::filesystem::weakly_canonical(source.directory, failed);
  const auto closed = [&](const std::filesystem::path& what) {
    fail(instance, what, "the user that orderd runs as cannot read it",
         "chmod it to 0644 and its folders to 0755");
  };
  const auto file = std::filesystem::weakly_canonical(root / path, failed);
  if (failed == std::errc::permission_denied) closed(root / path);
  if (!inside(root, file))
    fail(instance, file, "it is outside the plugin directory " + root.string(), "move it there");
  const Descriptor opened(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (opened.number() < 0 && errno == EACCES) closed(file);
  if (!is_regular(opened.number()))
    fail(instance, file, "there is no such file",
         "install the package that brings it, or correct the library's name");
  if (const auto problem = ownership_problem(opened.number(), source.trust); !problem.empty())
    fail(instance, file, problem, "chown it to root and chmod it to 0644");
  if (const auto problem = folders_problem(file, source.trust); !problem.empty())
    fail(instance, file, problem, "chown that folder to root and chmod it to 0755");

  const std::string bytes = file_bytes(opened.number());
  const std::string digest = sha256_hex(bytes);
  if (!wanted.empty() && digest != wanted)
    fail(instance, file, "it is not the build that its name says (SHA-256 " + digest + ")",
         "remove the file, then install that build again");
  if (is_cut_short(bytes))
    fail(instance, file, "it is not a loadable library (the file is cut short)", "copy or install it again");
  auto copy = sealed_copy(bytes);
  if (!copy)
    fail(instance, file, std::string("no copy of it can be made in memory: ") + std::strerror(errno),
         "free memory or descriptors");
  return {file, digest, std::move(copy)};
}

Library map_library(const std::string& instance, const LibraryFile& file) {
  AllMapped& all = all_mapped();
  std::lock_guard lock(all.mutex);
  auto found = all.by_digest.find(file.digest);
  if (found == all.by_digest.end()) {
    const auto by_descriptor = path_of(file.copy->number());
    dlerror();
    boost::system::error_code error;
    dll::shared_library library;
    library.load(by_descriptor.string(), load_mode, error);
    if (error)
      fail(instance, file.path, "it is not a loadable library (" + loader_message(by_descriptor) + ")",
           "install a build for this machine");
    found = all.by_digest.emplace(file.digest, Mapped{std::move(library), file.copy}).first;
  }
  return {file.path, file.digest, descriptor_of(instance, file.path, found->second.library)};
}

Library load_library(const std::string& instance, const LibrarySource& source,
                     const std::filesystem::path& path, const std::string& wanted) {
  return map_library(instance, judge_library(instance, source, path, wanted));
}

}  // namespace orderd::plugins
