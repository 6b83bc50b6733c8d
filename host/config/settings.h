#pragma once
// Everything an operator can set, typed, from /etc/orderd/orderd.properties, conf.d/*.properties beside it,
// and ORDERD_* variables, later ones winning. A key that does not exist refuses to start and names the
// nearest that does.
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace orderd::config {

/// One line: where (file or variable), which key, what was expected.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct PluginSettings {
  std::string library;                               // relative to plugins.dir, or absolute inside it
  std::map<std::string, std::string> settings;       // plugin.<instance>.settings.*
  std::map<std::string, std::string> secrets;        // plugin.<instance>.secret.*: setting -> file
  std::map<std::string, std::string> secret_values;  // what was in those files
  bool isolated = false;                             // plugin.<instance>.isolation = process
  unsigned memory_mb = 512;                          // ... of that process; 0: no limit
  unsigned threads = 2;                              // that call an external plugin; 0: the saga's own
};

struct Settings {
  std::string http_address = "127.0.0.1";
  std::uint16_t http_port = 3000;
  std::uint16_t metrics_port = 0;  // 0: health and numbers are on http_port alone
  unsigned http_workers = 8;
  unsigned http_streams = 10000;
  unsigned http_streams_per_client = 1000;
  unsigned http_unsent_mb = 256;
  unsigned http_unsent_mb_per_address = 64;
  std::string http_web_dir = "/usr/share/orderd/web";
  std::vector<std::string> http_trusted_proxies;
  std::vector<std::string> http_cors_origins;
  bool insecure = false;  // plain text off the loopback is meant

  std::string access_keys = "required";  // or "off"
  unsigned access_rate_per_second = 500;
  unsigned access_rate_burst = 1000;

  std::string postgres_url = "postgresql:///orderd";
  std::string postgres_password_file;
  std::string postgres_password;  // of postgres_password_file, by load()
  bool postgres_pooled = false;
  unsigned postgres_connections = 8;  // for the web's workers; each stage has one of its own besides

  std::string bus = "pglog";                 // or "kafka"
  std::map<std::string, std::string> kafka;  // every kafka.* key without the prefix, for librdkafka

  std::string saga_dir = "/usr/share/orderd/sagas";
  std::string saga_default = "default";  // saga_dir/<name>.json, for new orders
  std::map<std::string, std::string>
      slots;  // slot.<slot> = instance; a slot without one is served by its namesake

  std::map<std::string, std::string>
      routes;  // route.<slot>.<number>, without "route." (saga/routing/routes.h)

  std::string state_dir = "/var/lib/orderd";  // what this host remembers of the database; "": nothing

  std::string plugins_dir = "/usr/lib/orderd/plugins/1";
  std::string plugins_store_dir = "/var/lib/orderd/builds";  // builds by digest, for orders in flight
  std::string plugins_trusted_owner;                         // a user besides root whose plugins are loaded
  std::map<std::string, PluginSettings> plugins;             // by instance

  std::string secrets_key_file = "/etc/orderd/secrets/secret.key";
  std::set<std::string> roles{"api", "projection", "relay", "saga"};
  unsigned intake_writers = 1;
  int lease_ms = 8000;
  int drain_ms = 10'000;
  int reconcile_interval_s = 300;   // 0: never
  std::string log_format = "text";  // or "json", "journal"
  std::string log_level = "info";
};

/// Values as read, with where each came from ("orderd.properties", "ORDERD_HTTP_PORT") for messages.
struct RawValue {
  std::string value, source;
  std::vector<std::string> lost{};  // where else it is set, the weakest first
};
using RawValues = std::map<std::string, RawValue>;

/// Known keys that have '_' in their names.
std::vector<std::string> keys_with_underscore();
/// Pure: checks and types the values. Throws ConfigError.
Settings from_values(const RawValues& values);
/// from_values(read_values()), then the secrets in the files that they name. Throws ConfigError.
Settings load(const std::filesystem::path& file, char** environment);
/// The second half of load().
void read_secrets(Settings& settings);
/// Reads the file, conf.d beside it, and the variables of `environment` (NAME=value). "" for no file.
RawValues read_values(const std::filesystem::path& file, char** environment);
/// What is read when nothing else is named: /etc/orderd/orderd.properties, or "" where that is missing.
std::filesystem::path default_file();

}  // namespace orderd::config
