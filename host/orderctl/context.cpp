#include "orderctl/context.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/NumberParser.h>

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "app/wiring.h"
#include "base/printable.h"

extern char** environ;

namespace orderd::ctl {
namespace {

/// A number as one, and null where there is none.
Poco::Dynamic::Var json_value(const store::Report& report, std::size_t column, const std::string& text) {
  if (!report.numbers.contains(report.columns[column])) return text;
  return text.empty() ? Poco::Dynamic::Var() : Poco::Dynamic::Var(Poco::NumberParser::parse64(text));
}

void print_json(const store::Report& report) {
  Poco::JSON::Array array;
  for (const auto& row : report.rows) {
    Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
    for (std::size_t i = 0; i < row.size(); ++i) object.set(report.columns[i], json_value(report, i, row[i]));
    array.add(object);
  }
  array.stringify(std::cout, 2);
  std::cout << "\n";
}

/// How many characters stand beside each other.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

void print_table(const store::Report& report) {
  std::vector<std::vector<std::string>> lines{report.columns};
  for (const auto& row : report.rows) {
    lines.emplace_back();
    for (const std::string& text : row)
      lines.back().push_back(printable(text));  // a line in it must not look like a row
  }
  std::vector<std::size_t> widths(report.columns.size());
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width(line[i]));
  for (const auto& line : lines) {
    for (std::size_t i = 0; i + 1 < line.size(); ++i)
      std::cout << line[i] << std::string(widths[i] + 2 - width(line[i]), ' ');
    std::cout << (line.empty() ? "" : line.back()) << "\n";
  }
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
  if (!connection_) {
    auto options = database(settings());
    options.answer_timeout_ms = 0;  // a person waits, and may end it: for a rebuild, verify, a migration
    connection_ = std::make_unique<store::Connection>(options);
  }
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
