#include "orderctl/context.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iomanip>
#include <iostream>

#include "wiring.h"

extern char** environ;

namespace orderd::ctl {
namespace {

void print_json(const store::Report& report) {
  Poco::JSON::Array array;
  for (const auto& row : report.rows) {
    Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
    for (std::size_t i = 0; i < row.size(); ++i) object.set(report.columns[i], row[i]);
    array.add(object);
  }
  array.stringify(std::cout, 2);
  std::cout << "\n";
}

void print_table(const store::Report& report) {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < report.columns.size(); ++i) {
    widths.push_back(report.columns[i].size());
    for (const auto& row : report.rows) widths[i] = std::max(widths[i], row[i].size());
  }
  const auto line = [&](const std::vector<std::string>& values) {
    for (std::size_t i = 0; i + 1 < values.size(); ++i)
      std::cout << std::left << std::setw(static_cast<int>(widths[i]) + 2) << values[i];
    std::cout << (values.empty() ? "" : values.back()) << "\n";
  };
  line(report.columns);
  for (const auto& row : report.rows) line(row);
}

}  // namespace

void become(const passwd& user) {
  if (initgroups(user.pw_name, user.pw_gid) != 0 || setgid(user.pw_gid) != 0 || setuid(user.pw_uid) != 0)
    throw std::runtime_error(std::string("cannot become the user ") + user.pw_name + ": " +
                             std::strerror(errno));
  setenv("HOME", user.pw_dir, 1);
}

const config::RawValues& Context::values() {
  if (!values_) values_ = std::make_unique<config::RawValues>(config::read_values(file_, environ));
  return *values_;
}

const config::Settings& Context::settings() {
  if (!settings_) {
    settings_ = std::make_unique<config::Settings>(config::from_values(values()));
    config::read_secrets(*settings_);
  }
  return *settings_;
}

plugins::Registry& Context::registry() {
  settings();
  become_service_user();
  if (!registry_) {
    config::Settings quiet = settings();
    quiet.log_level = "warning";  // as this program's own: main.cpp
    registry_ = load_plugins(quiet, default_definition(quiet));
  }
  return *registry_;
}

store::Connection& Context::connection() {
  settings();
  become_service_user();
  if (!connection_) connection_ = std::make_unique<store::Connection>(database(settings()));
  return *connection_;
}

void Context::become_service_user() {
  if (geteuid() != 0 || file_.empty() || file_ != config::default_file()) return;
  if (const passwd* user = getpwnam("orderd")) become(*user);
}

plugins::CatalogPort& Context::catalog() {
  const auto catalogs = catalogs_for_new_orders(settings(), registry(), default_definition(settings()));
  if (catalogs.empty())
    throw std::runtime_error("no plugin here has a catalog: configure an inventory plugin");
  return *catalogs.front();
}

void Context::print(const store::Report& report) const {
  if (json())
    print_json(report);
  else
    print_table(report);
}

}  // namespace orderd::ctl
