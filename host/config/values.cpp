#include <Poco/AutoPtr.h>
#include <Poco/Exception.h>
#include <Poco/Util/PropertyFileConfiguration.h>

#include <algorithm>
#include <cstring>

#include "config/settings.h"

namespace orderd::config {
namespace {

void collect(const Poco::Util::AbstractConfiguration& from, const std::string& prefix,
             const std::string& source, RawValues& out) {
  Poco::Util::AbstractConfiguration::Keys keys;
  from.keys(prefix, keys);
  for (const std::string& name : keys) {
    const std::string key = prefix.empty() ? name : prefix + "." + name;
    if (from.hasProperty(key)) out[key] = {from.getRawString(key), source};
    collect(from, key, source, out);
  }
}

void read_file(const std::filesystem::path& file, RawValues& out) {
  try {
    const Poco::AutoPtr<Poco::Util::PropertyFileConfiguration> properties(
        new Poco::Util::PropertyFileConfiguration(file.string()));
    collect(*properties, "", file.string(), out);
  } catch (const Poco::Exception& error) {
    throw ConfigError(file.string() + ": cannot be read: " + error.displayText());
  }
}

/// ORDERD_HTTP_PORT is http.port. A name with '_' of its own cannot be told from a '.': the known keys
/// decide.
std::string key_of(const std::string& variable, const RawValues& known) {
  std::string key = variable.substr(std::strlen("ORDERD_"));
  std::transform(key.begin(), key.end(), key.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto flat = [](std::string text) {
    std::replace(text.begin(), text.end(), '.', '_');
    return text;
  };
  for (const char* name :
       {"http.web_dir", "http.trusted_proxies", "secrets.key_file", "lease_ms", "drain_ms"})
    if (flat(name) == key) return name;
  for (const auto& [name, value] : known)
    if (flat(name) == key) return name;
  std::replace(key.begin(), key.end(), '_', '.');
  return key;
}

}  // namespace

RawValues read_values(const std::filesystem::path& file, char** environment) {
  RawValues values;
  if (!file.empty()) {
    read_file(file, values);
    const auto parts = file.parent_path() / "conf.d";
    std::vector<std::filesystem::path> files;
    if (std::filesystem::is_directory(parts))
      for (const auto& entry : std::filesystem::directory_iterator(parts))
        if (entry.path().extension() == ".properties") files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const auto& part : files) read_file(part, values);
  }
  for (char** at = environment; at && *at; ++at) {
    const std::string line = *at;
    const auto equals = line.find('=');
    const std::string name = line.substr(0, equals);
    // ORDERD_TEST_* belongs to the test suites.
    if (name.rfind("ORDERD_", 0) != 0 || name.rfind("ORDERD_TEST_", 0) == 0 || equals == line.npos) continue;
    values[key_of(name, values)] = {line.substr(equals + 1), "environment variable " + name};
  }
  return values;
}

}  // namespace orderd::config
