#include <cctype>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "tool.h"

namespace orderd::tool {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t name_bytes_max = 40;

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

/// my_payment → MyPayment.
std::string camel(const std::string& name) {
  std::string out;
  bool upper = true;
  for (const char c : name) {
    if (c != '_') out += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = c == '_';
  }
  return out;
}

std::string renamed(std::string text, const std::string& name) {
  replace_all(text, "my_payment", name);
  replace_all(text, "MyPayment", camel(name));
  return text;
}

/// Keywords of C, C++ and Rust, targets that CMake makes itself, crates, and what the templates name so.
constexpr std::string_view taken_words =
    " alignas alignof and and_eq asm async atomic_cancel auto await become bitand bitor bool box"
    " break case catch char class compl concept const const_cast consteval constexpr constinit"
    " continue co_await co_return co_yield crate decltype default delete do double dyn"
    " dynamic_cast else enum explicit export extern false final float fn for friend gen goto if"
    " impl import in inline int let long loop macro match mod module move mut mutable namespace"
    " new noexcept not not_eq nullptr operator or or_eq override priv private protected pub ref"
    " register reinterpret_cast requires restrict return self short signed sizeof static"
    " static_assert static_cast struct super switch template this thread_local throw trait true"
    " try type typedef typeid typename typeof union unsafe unsigned unsized use using virtual"
    " void volatile wchar_t where while xor xor_eq yield all clean depend edit_cache help"
    " install list_install_components package package_source preinstall rebuild_cache test alloc"
    " core orderd proc_macro std calloc free malloc main memchr memcmp memcpy memset printf"
    " snprintf strcmp strlen call call_of create decide decline describe destroy execute"
    " execute_one get_extension handle has_token init keep payment payment_of query start stop"
    " supports tell text ";

void check_name(const std::string& name) {
  bool sound = !name.empty() && name.size() <= name_bytes_max && name[0] >= 'a' && name[0] <= 'z';
  for (const char c : name) sound &= (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  if (!sound) throw UsageError("a plugin's name is [a-z][a-z0-9_]*, at most 40: \"" + name + "\"");
  if (taken_words.find(' ' + name + ' ') != std::string_view::npos)
    throw UsageError("\"" + name + "\" means something to a compiler, to CMake or in the template: " +
                     "choose another, as my_" + name);
}

/// As installed, beside the program that runs; where no /proc says which that is, as packages install them.
fs::path templates_of(const fs::path& program) {
  std::error_code none;
  fs::path self = fs::read_symlink("/proc/self/exe", none);
  if (self.empty()) self = program;
  const fs::path prefix = self.has_parent_path() ? self.parent_path().parent_path() : fs::path("/usr");
  return prefix / "share/orderd-plugin/templates";
}

}  // namespace

int make_new(const std::vector<std::string>& arguments, const fs::path& program) {
  std::string kind, language, name;
  fs::path templates = templates_of(program);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool more = i + 1 < arguments.size();
    if (arguments[i] == "--lang" && more)
      language = arguments[++i];
    else if (arguments[i] == "--templates" && more)
      templates = arguments[++i];
    else if (kind.empty())
      kind = arguments[i];
    else if (name.empty())
      name = arguments[i];
    else
      throw UsageError("one name is enough: " + arguments[i]);
  }
  if (kind != "payment") throw UsageError("there is a template for payment, not for \"" + kind + "\"");
  if (language != "c" && language != "cpp" && language != "rust")
    throw UsageError("--lang is c, cpp or rust");
  check_name(name);
  if (!fs::is_directory(templates / language))
    throw std::runtime_error("no templates in " + templates.string() + ": name the folder by --templates");
  if (fs::exists(name)) throw std::runtime_error("\"" + name + "\" is there already: choose another name");
  for (const auto& entry : fs::recursive_directory_iterator(templates / language)) {
    if (!entry.is_regular_file() || entry.path().filename().string()[0] == '.') continue;
    const fs::path to =
        fs::path(name) / renamed(fs::relative(entry.path(), templates / language).string(), name);
    fs::create_directories(to.parent_path());
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    if (!(std::ofstream(to) << renamed(text.str(), name)))
      throw std::runtime_error("cannot write " + to.string());
  }
  std::printf("made %s/: its first lines say how to build it, and what to change\n", name.c_str());
  return 0;
}

}  // namespace orderd::tool
