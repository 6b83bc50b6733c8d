// A plugin under test, step by step through its life, on a fake host. What a call throws is a violation.
//
//   FakeHost host(Settings{{"pieces_max", "10"}});
//   Plugin plugin(host, orderd_plugin_entry_v1());  // linked into the test, or from dlopen()
//   plugin.begin();
//   Outcome outcome = plugin.run(command("fraud.check"));
#ifndef ORDERD_TESTING_PLUGIN_HPP
#define ORDERD_TESTING_PLUGIN_HPP

#include <orderd/plugin.h>
#include <orderd/step.h>

#include "command.hpp"
#include "fake_host.hpp"

namespace orderd::testing {

/// Where the name of each call into the plugin is noted, if somebody looks on from another process.
inline std::atomic<const char*>* call_note = nullptr;
inline void note_call(const char* what) {
  if (call_note) call_note->store(what);
}

class Plugin {
 public:
  Plugin(FakeHost& host, const orderd_descriptor* descriptor) : host_(host) {
    if (ORDERD_HAS(descriptor, orderd_descriptor, settings_schema) && descriptor->settings_schema)
      host.fill_in(JsonObject::defaults(descriptor->settings_schema));
    guard("create()", [&] { plugin_ = descriptor->create(host.abi()); });
  }
  ~Plugin() {
    stop();
    if (plugin_) guard("destroy()", [&] { plugin_->destroy(plugin_); });
  }
  Plugin(const Plugin&) = delete;

  orderd_plugin* abi() { return plugin_; }
  /// init(); "" or its message.
  std::string init() {
    if (!plugin_) return "create() gave no instance";
    host_.phase = Phase::initialising;
    return asked("init()", plugin_->init);
  }
  std::string start() {
    const std::string problem = asked("start()", plugin_->start);
    if (problem.empty()) host_.phase = Phase::started, started_ = true;
    return problem;
  }
  /// Both; throws if the plugin refuses.
  void begin() {
    std::string problem = init();
    if (problem.empty()) problem = start();
    if (!problem.empty()) throw std::runtime_error(problem);
  }
  void stop() {
    if (!std::exchange(started_, false)) return;
    guard("stop()", [&] { plugin_->stop(plugin_); });
    host_.stopped();
  }
  template <class Table>
  const Table* extension(const char* id) {
    const void* table = nullptr;
    guard("get_extension()", [&] { table = plugin_->get_extension(plugin_, id); });
    return static_cast<const Table*>(table);
  }

  /// execute() with commands whose tickets are open.
  orderd_status execute(const AbiCommands& commands) {
    const auto* step = extension<orderd_step_v1>(ORDERD_EXT_STEP);
    orderd_error error;
    ORDERD_CLEAR(error);
    orderd_status status = ORDERD_E_INTERNAL;
    guard("execute()", [&] { status = step->execute(plugin_, commands.data(), commands.size(), &error); });
    return status;
  }
  /// One command, to its end: what the host would make of it, at the deadline UNKNOWN.
  sdk::Outcome run(const CommandSpec& spec) {
    const orderd_ticket ticket = host_.open(spec.query());
    AbiCommands commands;
    commands.add(spec, ticket);
    const orderd_status status = execute(commands);
    if (status == ORDERD_E_BUSY || status == ORDERD_E_UNSUPPORTED || status == ORDERD_E_INVALID) {
      if (!host_.give_up(ticket)) host_.violation("it refused a command that it had completed");
      return sdk::Outcome::retry(200, "REFUSED", "execute() answered " + std::to_string(status));
    }
    if (status != ORDERD_OK)
      return host_.give_up(ticket), sdk::Outcome::unknown("PLUGIN_FAILED", std::to_string(status));
    if (auto outcome = host_.wait(ticket, std::max<std::int64_t>(spec.patience_ms, 100))) return *outcome;
    host_.give_up(ticket);
    const auto* step = extension<orderd_step_v1>(ORDERD_EXT_STEP);
    if (step->cancel) guard("cancel()", [&] { step->cancel(plugin_, ticket); });
    return sdk::Outcome::unknown("TIMEOUT", "the plugin did not answer in time");
  }

 private:
  template <class Call>
  void guard(const char* what, Call call) {
    note_call(what);
    try {
      call();
    } catch (...) { host_.violation(std::string("an exception left ") + what); }
  }
  std::string asked(const char* what, orderd_status (*call)(orderd_plugin*, orderd_error*)) {
    orderd_error error;
    ORDERD_CLEAR(error);
    orderd_status status = ORDERD_E_INTERNAL;
    guard(what, [&] { status = call(plugin_, &error); });
    if (status == ORDERD_OK) return "";
    const std::string message(error.message, strnlen(error.message, sizeof error.message));
    return message.empty() ? std::string(what) + " answered " + std::to_string(status) : message;
  }

  FakeHost& host_;
  orderd_plugin* plugin_ = nullptr;
  bool started_ = false;
};

}  // namespace orderd::testing
#endif
