#pragma once
// Our commands as requests to Stripe. Each goes its way in callbacks of the host's HTTP client; nothing
// waits, and nothing is kept between two commands but what the host keeps for us (state_blob.h). [any thread]
#include <orderd/command.hpp>
#include <orderd/reply.hpp>
#include <orderd/services.hpp>

#include <atomic>
#include <functional>
#include <memory>

#include "api.h"
#include "intent.h"

namespace stripe {

class PaymentHandler {
 public:
  using Command = orderd::sdk::Command;
  using Reply = orderd::sdk::Reply;
  using Outcome = orderd::sdk::Outcome;

  PaymentHandler(const orderd::sdk::Host& host, Config config);
  const Config& config() const { return config_; }

  void authorize(Command command, Reply&& reply);
  void capture(Command command, Reply&& reply);
  void void_authorization(Command command, Reply&& reply);
  void refund(Command command, Reply&& reply);
  void query(Command command, Reply&& reply);
  void list_since(Command command, Reply&& reply);

 private:
  /// One command under way. Shared by the callbacks of its requests.
  struct Call {
    Command command;
    Reply reply;
  };
  using Shared = std::shared_ptr<Call>;
  using Found = std::function<void(const Intent&)>;
  using Then = std::function<void()>;

  /// The payment intent that the host's memory names; "" without one.
  static std::string known_intent(const Command& command);
  Shared begin(Command command, Reply&& reply);
  void end(const Shared& call, Outcome outcome);
  void fail(const Shared& call, const Answer& answer);

  /// The payment intent as it is now. A failure ends the call.
  void read(const Shared& call, const std::string& id, const Found& found);
  /// The id of this payment's intent, by what the host keeps, or by a search.
  void locate(const Shared& call, const std::function<void(const std::string& id)>& found,
              const Then& absent);
  void search(const Shared& call, const std::string& key,
              const std::function<void(const std::string& id)>& found, const Then& absent);
  /// A capture or a void: the answer is the intent.
  void change(const Shared& call, const std::string& id, const char* verb, Form form,
              const std::function<Outcome(const Intent&)>& judge);
  void send_refund(const Shared& call, const std::string& id);
  void refund_sent(const Shared& call, const std::string& id, const Answer& answer);
  void authorize_answered(const Shared& call, const Answer& answer);
  void query_authorize(const Shared& call);
  void query_change(const Shared& call, const Intent& intent);

  /// Whether what was looked for may still appear, `lag_ms` after it was last sent: if so the call ends with
  /// NOT_FOUND_YET (a query) or RETRY.
  bool may_appear(const Shared& call, const std::string& what, std::int64_t lag_ms);
  Outcome list_page(const Answer& answer) const;

  const orderd::sdk::Host host_;
  const Config config_;
  const Api api_;
  const orderd::sdk::Clock clock_;
  const orderd::sdk::Metric requests_, unknown_;
  std::atomic<std::int64_t> complained_ms_{0};  // when the log last named what is the operator's
};

}  // namespace stripe
