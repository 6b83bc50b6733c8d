#pragma once
// What verbs work with, made when a verb first asks for it: `help` reads no file, `config` opens no database,
// `sagas` loads no plugin.
#include <pwd.h>

#include <memory>
#include <string>

#include "config/settings.h"
#include "plugin_host/loading/registry.h"
#include "store/connection.h"
#include "store/report.h"

namespace orderd::ctl {

enum class Format { table, json };

/// For good: user, groups and HOME. Throws std::runtime_error.
void become(const passwd& user);

class Context {
 public:
  Context(std::string file, Format format) : file_(std::move(file)), format_(format) {}

  const std::string& file() const { return file_; }
  /// Throws config::ConfigError.
  const config::RawValues& values();
  const config::Settings& settings();
  /// Every configured plugin, loaded; throws plugins::PluginError.
  plugins::Registry& registry();
  /// Throws store::DbError.
  store::Connection& connection();
  plugins::CatalogPort& catalog();
  /// Root with the packaged configuration becomes the user orderd, as whom the host runs: so PostgreSQL's
  /// peer authentication knows both. What root alone can read has been read by then.
  void become_service_user();
  /// Prints rows as the operator wants them (-o).
  void print(const store::Report& report) const;
  bool json() const { return format_ == Format::json; }

 private:
  const std::string file_;
  const Format format_;
  std::unique_ptr<config::RawValues> values_;
  std::unique_ptr<config::Settings> settings_;
  std::unique_ptr<plugins::Registry> registry_;
  std::unique_ptr<store::Connection> connection_;
};

}  // namespace orderd::ctl
