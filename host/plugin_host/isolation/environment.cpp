#include "plugin_host/isolation/environment.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

namespace orderd::plugins {
namespace {

constexpr std::array<std::string_view, 15> passed{
    "PATH",          "HOME",         "LANG",       "TZ",           "TMPDIR",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY",  "NO_PROXY",
    "http_proxy",    "https_proxy",  "no_proxy",   "ASAN_OPTIONS", "UBSAN_OPTIONS"};

bool is_passed(std::string_view name) {
#ifdef ORDERD_FAULTS
  if (name.starts_with("ORDERD_TEST_")) return true;
#endif
  return name.starts_with("LC_") || std::find(passed.begin(), passed.end(), name) != passed.end();
}

}  // namespace

std::vector<std::string> plugin_environment(const std::map<std::string, std::string>& settings) {
  std::set<std::string_view> named;
  for (const auto& [key, value] : settings)
    if (value.starts_with("env:")) named.insert(std::string_view(value).substr(4));
  std::vector<std::string> out;
  for (char** at = environ; at && *at; ++at) {
    const std::string_view one(*at);
    const std::string_view name = one.substr(0, one.find('='));
    if (is_passed(name) || named.contains(name)) out.emplace_back(one);
  }
  return out;
}

std::vector<char*> pointers_to(std::vector<std::string>& variables) {
  std::vector<char*> out;
  for (std::string& one : variables) out.push_back(one.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace orderd::plugins
