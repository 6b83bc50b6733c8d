#include <Poco/AutoPtr.h>
#include <Poco/Exception.h>
#include <Poco/Util/PropertyFileConfiguration.h>

#include <algorithm>
#include <cstring>

#include "base/secret_file.h"
#include "config/settings.h"

namespace orderd::config {
namespace {

/// Two packages that bring one instance: which of them served it would hang on their files' names.
void refuse_second_library(const std::string& key, const std::string& source, const RawValues& before) {
  const auto first = before.find(key);
  if (first != before.end() && key.starts_with("plugin.") && key.ends_with(".library") &&
      std::count(key.begin(), key.end(), '.') == 2)
    throw ConfigError(source + ": " + key + " is set by " + first->second.source +
                      ", too: remove one of the two lines, or call one instance by another name");
}

void put(RawValues& out, const std::string& key, std::string value, const std::string& source) {
  RawValue& at = out[key];
  if (!at.source.empty()) at.lost.push_back(at.source);
  at.value = std::move(value);
  at.source = source;
}

void collect(const Poco::Util::AbstractConfiguration& from, const std::string& prefix,
             const std::string& source, RawValues& out) {
  Poco::Util::AbstractConfiguration::Keys keys;
  from.keys(prefix, keys);
  for (const std::string& name : keys) {
    const std::string key = prefix.empty() ? name : prefix + "." + name;
    if (from.hasProperty(key)) refuse_second_library(key, source, out);
    if (from.hasProperty(key)) put(out, key, from.getRawString(key), source);
    collect(from, key, source, out);
  }
}

void read_file(const std::filesystem::path& file, RawValues& out) {
  if (const auto problem = trust_problem(file); !problem.empty())
    throw ConfigError(file.string() + ": " + problem);
  // Poco reads a folder for ever, and a pipe until somebody writes to it.
  if (std::error_code failed; !std::filesystem::is_regular_file(file, failed))
    throw ConfigError(file.string() + ": is not a file: remove it, or put a file with settings in its place");
  try {
    const Poco::AutoPtr<Poco::Util::PropertyFileConfiguration> properties(
        new Poco::Util::PropertyFileConfiguration(file.string()));
    collect(*properties, "", file.string(), out);
  } catch (const Poco::Exception& error) {
    throw ConfigError(file.string() + ": cannot be read: " + error.displayText());
  }
}

/// ORDERD_HTTP_PORT is http.port, ORDERD_PLUGIN_ORDERS__READ_LIBRARY is plugin.orders_read.library: "_" is
/// ".", and "__" is "_". Known keys and those of the files may be written with one "_" throughout.
std::string key_of(const std::string& variable, const RawValues& known) {
  std::string key = variable.substr(std::strlen("ORDERD_"));
  std::transform(key.begin(), key.end(), key.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto flat = [](std::string text) {
    std::replace(text.begin(), text.end(), '.', '_');
    return text;
  };
  for (const std::string& name : keys_with_underscore())
    if (flat(name) == key) return name;
  for (const auto& [name, value] : known)
    if (flat(name) == key) return name;
  std::string out;
  for (std::size_t i = 0; i < key.size(); ++i)
    if (key[i] != '_')
      out.push_back(key[i]);
    else if (i + 1 < key.size() && key[i + 1] == '_')
      out.push_back('_'), ++i;
    else
      out.push_back('.');
  return out;
}

}  // namespace

RawValues read_values(const std::filesystem::path& file, char** environment) {
  RawValues values;
  if (!file.empty()) {
    read_file(file, values);
    const auto parts = file.parent_path() / "conf.d";
    std::vector<std::filesystem::path> files;
    if (std::filesystem::is_directory(parts)) {
      if (const auto problem = trust_problem(parts); !problem.empty())
        throw ConfigError(parts.string() + " " + problem);
      for (const auto& entry : std::filesystem::directory_iterator(parts))
        if (entry.path().extension() == ".properties") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const auto& part : files) read_file(part, values);
  }
  for (char** at = environment; at && *at; ++at) {
    const std::string line = *at;
    const auto equals = line.find('=');
    const std::string name = line.substr(0, equals);
    // ORDERD_TEST_* belongs to the test suites.
    if (name.rfind("ORDERD_", 0) != 0 || name.rfind("ORDERD_TEST_", 0) == 0 || equals == line.npos) continue;
    put(values, key_of(name, values), line.substr(equals + 1), "environment variable " + name);
  }
  return values;
}

std::filesystem::path default_file() {
  const std::filesystem::path packaged = "/etc/orderd/orderd.properties";
  std::error_code failed;
  return std::filesystem::exists(packaged, failed) ? packaged : std::filesystem::path();
}

}  // namespace orderd::config
