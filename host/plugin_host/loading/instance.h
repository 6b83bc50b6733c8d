#pragma once
// One configured instance of a plugin: its library, its orderd_plugin, and the orderd_host that it sees (log,
// settings, completion, tx, services). Life cycle on the main thread; the host's tables on any thread.
#include <orderd/host.h>
#include <orderd/plugin.h>
#include <orderd/step.h>

#include <atomic>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <vector>

#include "plugin_host/calling/tx_loan.h"
#include "plugin_host/loading/library.h"
#include "plugin_host/loading/settings_check.h"
#include "plugin_host/services/masks.h"
#include "plugin_host/services/services.h"

namespace orderd::plugins {

/// Who takes an instance's completions: its step, if it has one.
class CompletionTarget {
 public:
  virtual ~CompletionTarget() = default;
  /// As orderd_completion_v1.complete. [any thread]
  virtual orderd_status complete(orderd_ticket ticket, const orderd_outcome* outcome) = 0;
};

class Instance {
 public:
  /// Creates and initialises it. Throws PluginError.
  Instance(std::string name, Library library, CheckedSettings settings, std::string host_version);
  ~Instance();
  Instance(const Instance&) = delete;

  const std::string& name() const { return name_; }
  const Library& library() const { return library_; }
  const std::string& digest() const { return library_.digest; }
  orderd_plugin* plugin() const { return plugin_; }
  LoanPool& loans() { return loans_; }
  Services& services() const { return *services_; }

  /// The plugin's table for `id`, or nullptr.
  template <class Table>
  const Table* extension(const char* id) const {
    return plugin_ ? static_cast<const Table*>(plugin_->get_extension(plugin_, id)) : nullptr;
  }
  bool has(const std::string& id) const { return extension<void>(id.c_str()) != nullptr; }
  /// Ids of this ABI's extensions that it has.
  std::vector<std::string> extensions() const;

  /// Throws PluginError. It may be called again then: the plugin is destroyed, made and initialised anew.
  void start();
  void stop();
  /// Its start() has failed, and there is no other try yet: nothing may be asked of the plugin.
  bool down() const { return down_; }
  /// Why, for people.
  std::string down_problem() const { return "plugin instance " + name_ + " has not started yet"; }
  /// Holds the plugin where it is while something is asked of it that makes sense before start().
  std::shared_lock<std::shared_mutex> held() const { return std::shared_lock(life_); }
  /// Without the plugin's secrets, and the payment tokens that it has.
  std::string masked(std::string text) const { return masks_.masked(std::move(text)); }
  void has_token(std::string_view secret_json) { masks_.add_token(secret_json); }
  void set_completion_target(CompletionTarget* target) { completion_target_ = target; }
  /// A line about the plugin having broken the contract.
  void misbehaving(const std::string& what, const std::string& order = "") const;

 private:
  struct Host;  // the functions behind the tables
  void make();
  void destroy();
  std::string problem(const char* call, orderd_status status, const orderd_error& error) const;

  const std::string name_;
  const Library library_;
  Masks masks_;
  const std::vector<std::pair<std::string, std::string>> settings_;  // sorted by key
  const std::string host_version_;
  LoanPool loans_;
  std::unique_ptr<Services> services_;
  mutable std::shared_mutex life_;                 // exclusive: the plugin is made anew
  CompletionTarget* completion_target_ = nullptr;  // set before start()
  orderd_host host_{};
  orderd_plugin* plugin_ = nullptr;  // pairs with descriptor->create()
  bool started_ = false;
  std::atomic<bool> down_{false};
};

}  // namespace orderd::plugins
