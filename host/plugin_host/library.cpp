#include "plugin_host/library.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/dll/shared_library.hpp>
#include <cerrno>
#include <cstring>
#include <deque>
#include <fstream>
#include <memory>
#include <sstream>

#include "base/descriptor.h"
#include "base/sha256.h"
#include "plugin_host/error.h"
#include "plugin_host/translate.h"

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

/// The file's path and digest; `descriptor` is its open file.
LibraryFile judged(const std::string& instance, const LibrarySource& source,
                   const std::filesystem::path& path, const std::string& wanted,
                   std::unique_ptr<Descriptor>& descriptor) {
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
  const int opened = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (opened < 0 && errno == EACCES) closed(file);
  descriptor = std::make_unique<Descriptor>(opened);
  if (!is_regular(descriptor->number()))
    fail(instance, file, "there is no such file",
         "install the package that brings it, or correct the library's name");
  if (const auto problem = ownership_problem(descriptor->number(), source.trust); !problem.empty())
    fail(instance, file, problem, "chown it to root and chmod it to 0644");
  if (const auto problem = folders_problem(file, source.trust); !problem.empty())
    fail(instance, file, problem, "chown that folder to root and chmod it to 0755");

  const std::string bytes = file_bytes(descriptor->number());
  const std::string digest = sha256_hex(bytes);
  if (!wanted.empty() && digest != wanted)
    fail(instance, file, "it is not the build that its name says (SHA-256 " + digest + ")",
         "remove the file, then install that build again");
  if (is_cut_short(bytes))
    fail(instance, file, "it is not a loadable library (the file is cut short)", "copy or install it again");
  return {file, digest};
}

}  // namespace

LibraryFile judge_library(const std::string& instance, const LibrarySource& source,
                          const std::filesystem::path& path, const std::string& digest) {
  std::unique_ptr<Descriptor> descriptor;
  return judged(instance, source, path, digest, descriptor);
}

Library load_library(const std::string& instance, const LibrarySource& source,
                     const std::filesystem::path& path, const std::string& wanted) {
  std::unique_ptr<Descriptor> descriptor;
  const auto [file, digest] = judged(instance, source, path, wanted, descriptor);
  const auto by_descriptor = path_of(descriptor->number());
  dlerror();
  boost::system::error_code error;
  dll::shared_library library;
  library.load(by_descriptor.string(), load_mode, error);
  if (error)
    fail(instance, file, "it is not a loadable library (" + loader_message(by_descriptor) + ")",
         "install a build for this machine");
  descriptor->keep_open();
  return {file, digest, descriptor_of(instance, file, keep(std::move(library)))};
}

}  // namespace orderd::plugins
