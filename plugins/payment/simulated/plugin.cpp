// The simulated bank as a plugin: settings, and the way of commands to their processor.
#include <orderd/plugin.hpp>
#include <orderd/webhook.hpp>

#include <cstdlib>

#include "command_processor.h"
#include "three_d_secure.h"
#include "token.h"
#include "webhook.h"

namespace simulated {
namespace {

/// A name that may stand in SQL as it is.
std::string schema_name(const std::string& given) {
  bool sound = !given.empty() && given.size() <= 63 && !(given[0] >= '0' && given[0] <= '9');
  for (const char c : given) sound &= (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  if (!sound)
    throw orderd::sdk::Refused("setting \"schema\" is \"" + given +
                               "\": give a name of small letters, digits and _ (at most 63)");
  return given;
}

bool yes(const orderd::sdk::Host& host, const char* key) {
  const std::string given = host.setting(key, "no");
  if (given == "yes" || given == "true") return true;
  if (given == "no" || given == "false") return false;
  throw orderd::sdk::Refused("setting \"" + std::string(key) + "\" is \"" + given + "\": give yes or no");
}

class Plugin final : public orderd::sdk::PaymentProvider, public orderd::sdk::Webhooks {
 public:
  explicit Plugin(orderd::sdk::Host host)
      : allow_crash_(yes(host, "allow_crash")),
        three_d_secure_(host, host.required_setting("database"),
                        schema_name(host.setting("schema", "payment_simulated"))),
        processor_({host.required_setting("database"),
                    schema_name(host.setting("schema", "payment_simulated")), three_d_secure_.page_url()},
                   host) {
    host.refuse_unknown_settings({"database", "schema", "allow_crash", "page_port", "page_url", "shop_url",
                                  "webhook_url", "webhook_secret"});
  }

  void start() {
    try {
      processor_.start();
    } catch (const PgSessionError& error) {
      throw orderd::sdk::Refused(std::string("setting \"database\": the ledger cannot be opened: ") +
                                 error.what());
    }
    three_d_secure_.start();
  }
  void stop() {
    three_d_secure_.stop();
    processor_.stop();
  }

  void webhook(const orderd::sdk::WebhookRequest& request, orderd::sdk::WebhookEvents& events) override {
    events.emit(read_webhook(request, three_d_secure_.signature(), three_d_secure_.secret()));
  }

  void authorize(Command command, orderd::sdk::Reply&& reply) override {
    if (allow_crash_ && parse_token(token_of(command.secret_json)).behaviour == Behaviour::crash)
      std::abort();
    processor_.take(std::move(command), std::move(reply));
  }
  void capture(Command command, orderd::sdk::Reply&& reply) override {
    processor_.take(std::move(command), std::move(reply));
  }
  void void_authorization(Command command, orderd::sdk::Reply&& reply) override {
    processor_.take(std::move(command), std::move(reply));
  }
  void refund(Command command, orderd::sdk::Reply&& reply) override {
    processor_.take(std::move(command), std::move(reply));
  }
  void query(Command command, orderd::sdk::Reply&& reply) override {
    processor_.take(std::move(command), std::move(reply));
  }
  void list_since(Command command, orderd::sdk::Reply&& reply) override {
    processor_.take(std::move(command), std::move(reply));
  }
  bool lists() const override { return true; }
  void cancel(orderd_ticket ticket) override { processor_.cancel(ticket); }

 private:
  const bool allow_crash_;
  ThreeDSecure three_d_secure_;
  CommandProcessor processor_;
};

}  // namespace
}  // namespace simulated

ORDERD_PLUGIN(simulated::Plugin, "payment-simulated", "1.0.0", "orderd")
