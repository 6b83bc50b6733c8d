#pragma once
// What a check is, and what it has to work with. Each check runs in a process of its own: whatever the plugin
// does there, crashing and hanging included, is a finding of that check and of no other.
#include <orderd/testing.hpp>

#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "shop.h"

namespace orderd::checker {

struct Options : Shop {
  std::string library;
  testing::Settings settings;
  std::vector<std::string> actions;  // of a step that is neither payment nor inventory
  std::string database;              // PostgreSQL URL for transactional plugins; all is rolled back
  bool loopback = false;             // the plugin's HTTP requests reach servers on 127.0.0.1
  std::uint64_t seed = 1;
  unsigned chaos_commands = 300;
  unsigned timeout_s = 30;  // for one check
  std::vector<std::string> only;
  bool strict = false;  // what could not be judged is a failure
};

/// Ends a check early; what was found so far stands.
struct Enough {};

/// One check under way, in its own process. Findings go to the parent as they are found.
class Case {
 public:
  Case(const Options& options, int pipe) : options_(options), pipe_(pipe) {}
  const Options& options() const { return options_; }

  void fail(const std::string& what);
  /// Cannot be judged as the checker was called; ends the check. --strict makes a failure of it.
  [[noreturn]] void skip(const std::string& why);
  /// There is nothing to judge in a plugin of its kind; ends the check.
  [[noreturn]] void not_asked(const std::string& why);
  void expect(bool holds, const std::string& otherwise) {
    if (!holds) fail(otherwise);
  }
  /// What the fake host noted: broken rules, secrets in the log.
  void judge(testing::FakeHost& host);

  /// The library, mapped. Fails and ends the check if it is no plugin.
  const orderd_descriptor* descriptor();
  void* library();
  std::unique_ptr<testing::FakeHost> host(const testing::Settings& more = {});

  /// The settings given and the schema's defaults.
  testing::Settings settings();

 private:
  void send(char kind, const std::string& text);
  const Options& options_;
  const int pipe_;
  void* library_ = nullptr;
};

/// A plugin that began, on a host of its own; judged and ended at the end of its scope.
class Begun {
 public:
  explicit Begun(Case& c, const std::function<void(testing::FakeHost&)>& prepare = {});
  ~Begun();
  testing::FakeHost& host() { return *host_; }
  testing::Plugin& plugin() { return *plugin_; }
  testing::Plugin* operator->() { return plugin_.get(); }

 private:
  Case& case_;
  std::unique_ptr<testing::FakeHost> host_;
  std::unique_ptr<testing::Plugin> plugin_;
};

struct Check {
  const char* name;   // "payment.query"
  const char* about;  // what must be so
  void (*run)(Case&);
};

std::vector<Check> entry_checks();
std::vector<Check> life_checks();
std::vector<Check> instance_checks();
std::vector<Check> step_checks();
std::vector<Check> hostile_checks();
std::vector<Check> payment_checks();
std::vector<Check> list_checks();
std::vector<Check> webhook_checks();
std::vector<Check> transaction_checks();
std::vector<Check> own_step_checks();
std::vector<Check> chaos_checks();

/// A command that this plugin should understand, with a key of its own; skips if none is known.
testing::CommandSpec sample(Case& c, testing::Plugin& plugin, const std::string& subject);
/// The table of an external step; skips if the plugin is none.
const orderd_step_v1* external_step(Case& c, testing::Plugin& plugin);
/// The threads of this process.
std::set<int> threads();
/// How many there are beyond those, once there are none or so long has passed.
std::size_t threads_beyond(const std::set<int>& before, std::int64_t patience_ms);
const char* kind_name(std::int32_t kind);

}  // namespace orderd::checker
