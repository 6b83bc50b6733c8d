// The host that a plugin under test talks to: it remembers everything, and notes each broken rule of the
// headers as a violation.
#ifndef ORDERD_TESTING_FAKE_HOST_HPP
#define ORDERD_TESTING_FAKE_HOST_HPP

#include <orderd/host.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <string>
#include <vector>

#include "fake_database.hpp"
#include "fake_http.hpp"
#include "judge.hpp"

namespace orderd::testing {

struct LogLine {
  std::int32_t level;
  std::string text;
};

using Settings = std::map<std::string, std::string>;

/// Where the plugin is in its life; the fake host complains of calls outside of it.
enum class Phase { creating, initialising, started, stopped };

/// [any thread], but the members that a test sets are constant once the plugin runs.
class FakeHost {
 public:
  explicit FakeHost(const Settings& settings = Settings(), std::string instance = "test")
      : settings_(settings.begin(), settings.end()), instance_(std::move(instance)) {
    ORDERD_CLEAR(host_);
    host_.abi_major = ORDERD_ABI_MAJOR;
    host_.abi_minor = ORDERD_ABI_MINOR;
    host_.version = "0.0.0";
    host_.instance = instance_.c_str();
    host_.host_data = this;
    host_.get_extension = get_extension;
  }
  ~FakeHost() { stopped(); }
  FakeHost(const FakeHost&) = delete;
  static FakeHost& of(const orderd_host* host) { return *static_cast<FakeHost*>(host->host_data); }
  orderd_host* abi() { return &host_; }

  std::set<std::string> missing;  // ids of extensions that this host does not have
  FakeHttp http;
  Database database;
  std::function<void()> before_completion;  // called as the plugin answers, before anything is remembered
  std::optional<std::pair<std::uint32_t, std::uint32_t>> state_versions{};  // as its traits say, if judged
  std::atomic<Phase> phase{Phase::creating};

  // Tickets and what came of them.
  orderd_ticket open(bool query);
  /// The outcome of a ticket, once it is there or nullopt after so long.
  std::optional<sdk::Outcome> wait(orderd_ticket ticket, std::int64_t patience_ms);
  /// Nothing is expected for it any more; false if it had been completed.
  bool give_up(orderd_ticket ticket);

  // What was noted.
  std::vector<std::string> violations() const;
  void violation(const std::string& what);
  std::vector<LogLine> log() const;
  std::map<std::string, std::int64_t> metrics() const;  // by name; a histogram's is its count

  /// Settings that a schema fills in, as the host does before there is an instance.
  void fill_in(const std::map<std::string, std::string>& defaults) {
    for (const auto& [key, value] : defaults) {
      const auto is = [&name = key](const auto& one) { return one.first == name; };
      if (std::none_of(settings_.begin(), settings_.end(), is)) settings_.emplace_back(key, value);
    }
  }
  /// stop() returned: from now on nothing is to be completed, and no timer comes.
  void stopped();

 private:
  struct Open {
    bool query = false, given_up = false;
    std::optional<sdk::Outcome> outcome{};
  };
  struct Tables;
  static const void* get_extension(const orderd_host* host, const char* id);
  std::string slip(const orderd_outcome& given) const;
  orderd_status complete(orderd_ticket ticket, const orderd_outcome* outcome);

  std::vector<std::pair<std::string, std::string>> settings_;  // constant once the plugin runs
  const std::string instance_;
  orderd_host host_{};
  Later timers_;

  mutable std::mutex mutex_;
  std::condition_variable completed_;
  std::map<std::uint64_t, Open> tickets_;                      // by generation; guarded by mutex_
  std::vector<std::string> violations_;                        // guarded by mutex_
  std::vector<LogLine> log_;                                   // guarded by mutex_
  std::vector<std::pair<std::string, std::int64_t>> metrics_;  // by number - 1; guarded by mutex_
};

}  // namespace orderd::testing

#include "fake_extensions.hpp"
#include "fake_memory.hpp"
#endif
