// What a library shows before there is an instance.
#include <elf.h>
#include <link.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "check.h"
#include "schema.h"

namespace orderd::checker {
namespace {

/// The names that a shared object defines for others, from its .dynsym.
std::vector<std::string> exported_names(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream read;
  read << file.rdbuf();
  const std::string bytes = read.str();
  const auto at = [&](std::size_t offset, auto& out) {
    if (offset > bytes.size() || bytes.size() - offset < sizeof out)
      throw std::runtime_error("it is cut short");
    std::memcpy(&out, bytes.data() + offset, sizeof out);
  };
  ElfW(Ehdr) head;
  at(0, head);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < head.e_shnum; ++i) {
    ElfW(Shdr) section, texts;
    at(head.e_shoff + i * sizeof section, section);
    if (section.sh_type != SHT_DYNSYM) continue;
    at(head.e_shoff + section.sh_link * sizeof texts, texts);
    for (std::size_t offset = 0; offset < section.sh_size; offset += sizeof(ElfW(Sym))) {
      ElfW(Sym) symbol;
      at(section.sh_offset + offset, symbol);
      if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS) continue;
      if (ELF64_ST_BIND(symbol.st_info) == STB_LOCAL) continue;
      const std::size_t name = texts.sh_offset + symbol.st_name;
      if (name < bytes.size()) names.emplace_back(bytes.c_str() + name);
    }
  }
  return names;
}

/// plugin.map as it is installed beside this program.
std::string map_of_this_package() {
  std::error_code none;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", none);
  const auto map = self.parent_path() / ORDERD_PLUGIN_MAP;
  return std::filesystem::exists(map, none) ? std::filesystem::weakly_canonical(map, none).string()
                                            : "plugin.map";
}

void exports(Case& c) {
  (void)c.descriptor();
  constexpr std::size_t shown_max = 5;
  std::vector<std::string> others;
  for (const std::string& name : exported_names(c.options().library)) {
    bool tool = name == ORDERD_PLUGIN_ENTRY;  // a sanitizer's or the compiler's own are no business of ours
    for (const char* prefix : {"__asan", "__ubsan", "__tsan", "__odr", "__lsan", "_ITM_", "__gmon"})
      tool = tool || name.rfind(prefix, 0) == 0;
    if (!tool) others.push_back(name);
  }
  if (others.empty()) return;
  std::string shown;
  for (std::size_t i = 0; i < others.size() && i < shown_max; ++i) shown += " " + others[i];
  if (others.size() > shown_max) shown += " and more";
  c.fail("it exports " + std::to_string(others.size()) + " names besides " ORDERD_PLUGIN_ENTRY ":" + shown +
         ". Two plugins would meet in one name: link with -Wl,--version-script=" + map_of_this_package() +
         ", as orderd_add_plugin() does");
}

void entry(Case& c) {
  const orderd_descriptor* first = c.descriptor();
  c.expect(c.descriptor() == first, "its entry function gives another descriptor each time");
}

bool is_label(const char* text) {
  if (!text || !*text || std::strlen(text) > 100 || !testing::is_text(text)) return false;
  for (; *text; ++text)
    if (static_cast<unsigned char>(*text) < ' ' || *text == 0x7f) return false;
  return true;
}

void descriptor(Case& c) {
  const orderd_descriptor& d = *c.descriptor();
  c.expect(d.abi_major == ORDERD_ABI_MAJOR,
           "abi_major is " + std::to_string(d.abi_major) + ", not " + std::to_string(ORDERD_ABI_MAJOR));
  const std::pair<const char*, const char*> texts[] = {
      {"name", d.name}, {"version", d.version}, {"vendor", d.vendor}};
  for (const auto& [field, text] : texts)
    if (!is_label(text))
      c.fail(std::string(field) + " is missing, longer than 100 bytes, or not one line of UTF-8");
}

void schema(Case& c) {
  const std::string schema = schema_of(c.descriptor());
  if (schema.empty()) c.not_asked("it declares no settings_schema: settings are checked by init() alone");
  const std::string problem = schema_problem(schema);
  c.expect(problem.empty(), "its settings_schema: " + problem);
}

}  // namespace

std::vector<Check> entry_checks() {
  return {{"entry.symbol", "it is loadable, and has the entry function of this ABI", entry},
          {"entry.exports", "it exports nothing else", exports},
          {"entry.descriptor", "its descriptor is whole", descriptor},
          {"entry.schema", "its settings' schema is one", schema}};
}

}  // namespace orderd::checker
