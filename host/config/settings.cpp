#include "config/settings.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>

#include "base/secret_file.h"
#include "config/postgres_url.h"

namespace orderd::config {
namespace {

struct Found {
  const std::string& key;
  const RawValue& raw;

  [[noreturn]] void expected(const std::string& what) const {
    throw ConfigError(raw.source + ": " + key + " = " + raw.value + ": must be " + what);
  }
  template <typename Number>
  Number number(Number least, Number most) const {
    Number value{};
    const char* end = raw.value.data() + raw.value.size();
    const auto [at, error] = std::from_chars(raw.value.data(), end, value);
    if (error != std::errc() || at != end || value < least || value > most)
      expected("a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return value;
  }
  std::string postgres_url() const {
    if (const auto problem = postgres_url_problem(raw.value); !problem.empty())
      throw ConfigError(raw.source + ": " + key + " " + problem);
    return raw.value;
  }
  bool flag() const {
    if (raw.value == "yes" || raw.value == "true" || raw.value == "on") return true;
    if (raw.value == "no" || raw.value == "false" || raw.value == "off") return false;
    expected("yes or no");
  }
  std::string one_of(std::initializer_list<const char*> choices) const {
    std::string all;
    for (const char* choice : choices) {
      if (raw.value == choice) return raw.value;
      all.append(all.empty() ? "" : ", ").append(choice);
    }
    expected("one of " + all);
  }
  std::vector<std::string> list() const {
    std::vector<std::string> out;
    std::string item;
    for (const char c : raw.value + ",") {
      if (c != ',' && c != ' ')
        item.push_back(c);
      else if (!item.empty())
        out.push_back(std::exchange(item, {}));
    }
    return out;
  }
  /// As a browser writes them: no path, no slash at the end, no default port.
  std::vector<std::string> origins() const {
    const auto out = list();
    for (const std::string& one : out) {
      const auto host = one.rfind("https://", 0) == 0 ? 8u : one.rfind("http://", 0) == 0 ? 7u : 0u;
      if (host == 0 || one.size() == host || one.find_first_of("/*?#@", host) != one.npos)
        expected("a list of origins such as https://shop.example, without paths");
    }
    return out;
  }
};

/// Is this address reached from the machine itself only?
bool is_loopback(const std::string& address) {
  in_addr v4{};
  if (::inet_pton(AF_INET, address.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  in6_addr v6{};
  return ::inet_pton(AF_INET6, address.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

using Setter = std::function<void(Settings&, const Found&)>;

const std::map<std::string, Setter>& setters() {
  static const std::map<std::string, Setter> known{
      {"http.address", [](Settings& s, const Found& f) { s.http_address = f.raw.value; }},
      {"http.port", [](Settings& s, const Found& f) { s.http_port = f.number<std::uint16_t>(0, 65535); }},
      {"http.workers", [](Settings& s, const Found& f) { s.http_workers = f.number<unsigned>(1, 1024); }},
      {"http.web_dir", [](Settings& s, const Found& f) { s.http_web_dir = f.raw.value; }},
      {"http.trusted_proxies", [](Settings& s, const Found& f) { s.http_trusted_proxies = f.list(); }},
      {"http.cors_origins", [](Settings& s, const Found& f) { s.http_cors_origins = f.origins(); }},
      {"insecure", [](Settings& s, const Found& f) { s.insecure = f.flag(); }},
      {"access.keys",
       [](Settings& s, const Found& f) {
         s.access_keys = f.one_of({"required", "off"});
       }},
      {"access.rate_per_second",
       [](Settings& s, const Found& f) { s.access_rate_per_second = f.number<unsigned>(0, 1'000'000); }},
      {"access.rate_burst",
       [](Settings& s, const Found& f) { s.access_rate_burst = f.number<unsigned>(0, 1'000'000); }},
      {"postgres.url", [](Settings& s, const Found& f) { s.postgres_url = f.postgres_url(); }},
      {"postgres.password_file", [](Settings& s, const Found& f) { s.postgres_password_file = f.raw.value; }},
      {"postgres.pooled", [](Settings& s, const Found& f) { s.postgres_pooled = f.flag(); }},
      {"postgres.connections",
       [](Settings& s, const Found& f) { s.postgres_connections = f.number<unsigned>(1, 1000); }},
      {"bus",
       [](Settings& s, const Found& f) {
         s.bus = f.one_of({"pglog", "kafka"});
       }},
      {"saga.dir", [](Settings& s, const Found& f) { s.saga_dir = f.raw.value; }},
      {"saga.default", [](Settings& s, const Found& f) { s.saga_default = f.raw.value; }},
      {"state.dir", [](Settings& s, const Found& f) { s.state_dir = f.raw.value; }},
      {"plugins.dir", [](Settings& s, const Found& f) { s.plugins_dir = f.raw.value; }},
      {"plugins.store_dir", [](Settings& s, const Found& f) { s.plugins_store_dir = f.raw.value; }},
      {"plugins.trusted_owner", [](Settings& s, const Found& f) { s.plugins_trusted_owner = f.raw.value; }},
      {"secrets.key_file", [](Settings& s, const Found& f) { s.secrets_key_file = f.raw.value; }},
      {"roles",
       [](Settings& s, const Found& f) {
         const std::set<std::string> known_roles{"api", "projection", "relay", "saga"};
         const auto list = f.list();
         s.roles = {list.begin(), list.end()};
         if (s.roles.empty() ||
             !std::includes(known_roles.begin(), known_roles.end(), s.roles.begin(), s.roles.end()))
           f.expected("a list of api, relay, saga, projection");
       }},
      {"intake.writers", [](Settings& s, const Found& f) { s.intake_writers = f.number<unsigned>(1, 8); }},
      {"lease_ms", [](Settings& s, const Found& f) { s.lease_ms = f.number<int>(1000, 60'000); }},
      {"reconcile.interval_s",
       [](Settings& s, const Found& f) { s.reconcile_interval_s = f.number<int>(0, 86'400); }},
      {"drain_ms", [](Settings& s, const Found& f) { s.drain_ms = f.number<int>(0, 600'000); }},
      {"log.format",
       [](Settings& s, const Found& f) {
         s.log_format = f.one_of({"text", "json", "journal"});
       }},
      {"log.level",
       [](Settings& s, const Found& f) {
         s.log_level = f.one_of({"debug", "info", "warning", "error"});
       }},
  };
  return known;
}

/// Levenshtein distance: how many letters differ.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitute = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
    }
  }
  return row.back();
}

[[noreturn]] void unknown(const std::string& key, const RawValue& raw) {
  std::string nearest;
  std::vector<std::string> candidates{"plugin.<instance>.library",
                                      "plugin.<instance>.settings.<key>",
                                      "plugin.<instance>.secret.<key>",
                                      "plugin.<instance>.isolation",
                                      "plugin.<instance>.memory_mb",
                                      "plugin.<instance>.threads",
                                      "slot.<slot>",
                                      "route.<slot>.<number>",
                                      "kafka.<key>"};
  for (const auto& [known, setter] : setters()) candidates.push_back(known);
  for (const std::string& candidate : candidates)
    if (nearest.empty() || distance(key, candidate) < distance(key, nearest)) nearest = candidate;
  throw ConfigError(raw.source + ": unknown key " + key + "; the nearest known key is " + nearest);
}

/// With less not even its libraries can be loaded, or its threads not be started.
constexpr unsigned plugin_memory_mb_min = 32;

/// plugin.<instance>.library, .settings.<key>, .secret.<key>, slot.<slot>, route.<slot>.<number>,
/// kafka.<key>; false if it is none of them.
bool set_family(Settings& settings, const std::string& key, const RawValue& raw) {
  const auto prefixed = [&](const char* prefix) { return key.rfind(prefix, 0) == 0; };
  if (prefixed("kafka.") && key.size() > 6) return settings.kafka[key.substr(6)] = raw.value, true;
  if (prefixed("slot.") && key.size() > 5) return settings.slots[key.substr(5)] = raw.value, true;
  if (prefixed("route.") && key.size() > 6) return settings.routes[key.substr(6)] = raw.value, true;
  if (!prefixed("plugin.")) return false;
  const auto dot = key.find('.', 7);
  if (dot == key.npos || dot == 7) return false;
  PluginSettings& plugin = settings.plugins[key.substr(7, dot - 7)];
  const std::string rest = key.substr(dot + 1);
  if (rest == "library") return plugin.library = raw.value, true;
  const Found found{key, raw};
  if (rest == "isolation") return plugin.isolated = found.one_of({"none", "process"}) == "process", true;
  if (rest == "memory_mb") {
    plugin.memory_mb = found.number<unsigned>(0, 1'000'000);
    if (plugin.memory_mb > 0 && plugin.memory_mb < plugin_memory_mb_min)
      found.expected("0 (no limit) or at least " + std::to_string(plugin_memory_mb_min));
    return true;
  }
  if (rest == "threads") return plugin.threads = found.number<unsigned>(0, 64), true;
  if (rest.rfind("secret.", 0) == 0 && rest.size() > 7)
    return plugin.secrets[rest.substr(7)] = raw.value, true;
  if (rest.rfind("settings.", 0) != 0 || rest.size() == 9) return false;
  return plugin.settings[rest.substr(9)] = raw.value, true;
}

}  // namespace

std::vector<std::string> keys_with_underscore() {
  std::vector<std::string> keys;
  for (const auto& [key, setter] : setters())
    if (key.find('_') != key.npos) keys.push_back(key);
  return keys;
}

Settings from_values(const RawValues& values) {
  Settings settings;
  for (const auto& [key, raw] : values) {
    const auto setter = setters().find(key);
    if (setter != setters().end())
      setter->second(settings, {key, raw});
    else if (!set_family(settings, key, raw))
      unknown(key, raw);
  }
  for (const auto& [name, plugin] : settings.plugins)
    if (plugin.library.empty())
      throw ConfigError("plugin." + name + ".library is missing: name the .so file of instance " + name);
  if (settings.roles.contains("api") && !is_loopback(settings.http_address) && !settings.insecure)
    throw ConfigError("http.address = " + settings.http_address +
                      " is off the loopback, and keys and orders would cross the network in plain text: "
                      "listen on 127.0.0.1 behind a proxy that does TLS, or set insecure = yes");
  return settings;
}

void read_secrets(Settings& settings) {
  try {
    if (!settings.postgres_password_file.empty())
      settings.postgres_password = read_secret("postgres.password_file", settings.postgres_password_file);
    for (auto& [name, plugin] : settings.plugins)
      for (const auto& [key, file] : plugin.secrets)
        plugin.secret_values[key] = read_secret("plugin." + name + ".secret." + key, file);
    for (auto& [key, value] : settings.kafka)  // librdkafka reads these files itself
      if (key.ends_with(".location")) value = secret_path(value);
  } catch (const std::runtime_error& error) { throw ConfigError(error.what()); }
}

Settings load(const std::filesystem::path& file, char** environment) {
  Settings settings = from_values(read_values(file, environment));
  read_secrets(settings);
  return settings;
}

}  // namespace orderd::config
