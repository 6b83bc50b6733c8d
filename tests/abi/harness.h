#pragma once
// A registry of test plugins with a sink that remembers, for the tests of this folder.
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "plugin_host/loading/registry.h"

namespace orderd::plugins {

/// Collects completions from any thread; wait() has a bound.
class Completions {
 public:
  CompletionSink sink() {
    return [this](Completion completion) {
      std::lock_guard lock(mutex_);
      all_.push_back(std::move(completion));
      changed_.notify_all();
    };
  }
  /// All of them, once there are `count` or after ten seconds.
  std::vector<Completion> wait(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return all_.size() >= count; });
    return all_;
  }
  std::size_t count() { return wait(0).size(); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Completion> all_;  // guarded by mutex_
};

inline Options test_options() {
  Options options;
  options.directory = ABI_PLUGINS;
  options.host_version = "0.1.0";
  options.stop_limit = Millis(200);
  options.trust.folders = false;  // a build tree may lie anywhere
  return options;
}

inline InstanceConfig plugin(const std::string& library, std::map<std::string, std::string> settings = {},
                             std::vector<std::string> extensions = {}, const std::string& name = "one") {
  return {name, library, std::move(settings), std::move(extensions)};
}

/// A command that says to a test plugin how to behave.
inline Command command(const std::string& method, Millis patience = Millis(60'000)) {
  Command one;
  one.order_id = Uuid::v7();
  one.subject = "pay-1";
  one.action = "payment.authorize";
  one.key = "pay-1.authorize.1.g2";
  one.deadline = now() + patience;
  one.amount = 50;
  one.currency = "EUR";
  one.method = method;
  return one;
}

/// A registry of one started plugin.
struct Running {
  Completions completions;
  Registry registry;
  explicit Running(const InstanceConfig& config, const Options& options = test_options())
      : registry(options, {config}) {
    registry.start(completions.sink());
  }
  /// Sends one command and returns what came of it.
  Completion run(const Command& one) {
    const std::size_t before = completions.count();
    registry.step("one").execute({one});
    const auto all = completions.wait(before + 1);
    return all.size() > before ? all[before] : Completion{};
  }
};

}  // namespace orderd::plugins
