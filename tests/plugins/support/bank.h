#pragma once
// The simulated payment provider, loaded as a host loads it; each Bank is one host.
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "plugin_host/loading/registry.h"
#include "plugins/support/database.h"

namespace orderd::plugins::test {

/// An instance of one of this repository's plugins.
InstanceConfig instance(const std::string& name, const std::string& library,
                        std::map<std::string, std::string> settings);
Options options();

class Bank {
 public:
  explicit Bank(const Database& database, std::map<std::string, std::string> settings = {});
  ~Bank();

  /// Sends; the outcome is waited for with wait(). [any thread]
  void send(Command command);
  Outcome wait(const std::string& key);
  Outcome call(Command command);
  bool has_answered(const std::string& key);

  Outcome authorize(const std::string& payment, const std::string& token, std::int64_t amount = 1000);
  Outcome capture(const std::string& payment, std::int64_t amount, const std::string& sequence = "2");
  Outcome void_authorization(const std::string& payment, const std::string& sequence = "8");
  Outcome refund(const std::string& payment, std::int64_t amount, const std::string& sequence = "3");
  /// What became of this key?
  Outcome query(const std::string& payment, const std::string& key);
  WebhookResult webhook(const WebhookRequest& request) { return registry_.webhook("bank")->handle(request); }

 private:
  Registry registry_;
  StepPort& step_;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::map<std::string, Outcome> outcomes_;  // by key; guarded by mutex_
  int queries_ = 0;
};

/// "payment.<what>" for a payment; the key is "<payment>.<what>.<sequence>".
Command command(const std::string& payment, const std::string& what, std::int64_t amount,
                const std::string& sequence);
Command authorize_command(const std::string& payment, const std::string& token, std::int64_t amount = 1000,
                          const std::string& sequence = "1");

}  // namespace orderd::plugins::test
