// my_payment: a payment provider on the C++ SDK. As it stands it is a bank in memory, so that it passes the
// checker and serves orders before the real provider is there; what talks to yours takes the place of Bank.
#include <orderd/plugin.hpp>
#include <orderd/services.hpp>

#include <map>
#include <mutex>

namespace {

using namespace orderd::sdk;

/// The books. [any thread]
class Bank {
 public:
  /// What a key was answered with: the same key gets it again, and has no second effect.
  Outcome take(const Command& command) {
    std::lock_guard lock(mutex_);
    const auto known = calls_.find(command.key);
    const Outcome answer = known != calls_.end() ? known->second : decide(command);
    calls_[command.key] = answer;
    subjects_[command.key] = command.subject;
    return with_totals(answer, command.subject);
  }
  Outcome query(const Command& command) {
    std::lock_guard lock(mutex_);
    const auto asked = calls_.find(command.query_key);
    if (asked == calls_.end()) return Outcome::not_found();
    const std::string& subject = subjects_[command.query_key];
    if (asked->second.kind == ORDERD_PENDING) {  // the buyer said yes to 3-D Secure
      payments_[subject].authorized = command.amount.amount;
      asked->second = Outcome::done();
    }
    return Outcome::found(with_totals(asked->second, subject));
  }

 private:
  Outcome decide(const Command& command) {
    orderd_totals& t = payments_[command.subject];
    const std::int64_t amount = command.amount.amount;
    if (command.action == ORDERD_PAYMENT_VOID) {
      t.voided = t.authorized - t.captured;
      return Outcome::done();
    }
    if (amount <= 0) return Outcome::declined("INVALID_AMOUNT", "give more than nothing");
    if (command.action == ORDERD_PAYMENT_AUTHORIZE) return authorize(command, t);
    std::int64_t& sum = command.action == ORDERD_PAYMENT_CAPTURE ? t.captured : t.refunded;
    const std::int64_t most = command.action == ORDERD_PAYMENT_CAPTURE ? t.authorized - t.captured - t.voided
                                                                       : t.captured - t.refunded;
    if (amount > most) return Outcome::declined("TOO_MUCH", "at most " + std::to_string(most));
    sum += amount;
    return Outcome::done();
  }
  static Outcome authorize(const Command& command, orderd_totals& t) {
    const auto has = [&](const char* token) {
      return command.secret_json.find('"' + std::string(token) + '"') != std::string::npos;
    };
    if (has("tok_3ds")) {
      Outcome pending = Outcome::pending(command.deadline_ms + 15 * 60 * 1000);
      pending.next_action_type = "redirect";
      pending.next_action_url = "https://bank.example/3ds";
      return pending;
    }
    if (!has("tok_ok")) return Outcome::declined(ORDERD_CODE_PAYMENT_DECLINED, "the bank said no");
    if (t.authorized > 0) return Outcome::declined("ALREADY_AUTHORIZED", "one authorization a payment");
    t.authorized = command.amount.amount;
    return Outcome::done();
  }
  Outcome with_totals(Outcome outcome, const std::string& subject) {
    outcome.totals = payments_[subject];
    outcome.provider_reference = subject;
    return outcome;
  }

  std::mutex mutex_;
  std::map<std::string, orderd_totals> payments_;  // by subject; guarded by mutex_
  std::map<std::string, Outcome> calls_;           // by key; guarded by mutex_
  std::map<std::string, std::string> subjects_;    // by key; guarded by mutex_
};

class MyPayment final : public PaymentProvider, public Webhooks {
 public:
  static constexpr const char* settings_schema = R"({
    "type": "object", "additionalProperties": false,
    "properties": {"webhook_secret": {"type": "string", "format": "secret"}}})";

  explicit MyPayment(Host host) : signature_(host), secret_(host.setting("webhook_secret", "")) {}

  void authorize(Command command, Reply&& reply) override { reply(bank_.take(command)); }
  void capture(Command command, Reply&& reply) override { reply(bank_.take(command)); }
  void void_authorization(Command command, Reply&& reply) override { reply(bank_.take(command)); }
  void refund(Command command, Reply&& reply) override { reply(bank_.take(command)); }
  void query(Command command, Reply&& reply) override { reply(bank_.query(command)); }

  /// The provider posts `<event id> <payment>` and signs it: something changed there, the host shall ask.
  void webhook(const WebhookRequest& request, WebhookEvents& events) override {
    const std::string_view given = request.header("x-signature").value_or("");
    if (secret_.empty() ||
        !signature_.equal(given, Signature::hex(signature_.hmac_sha256(secret_, request.body()))))
      throw Refused("the signature is not the provider's");
    const std::size_t space = request.body().find(' ');
    if (space == std::string_view::npos) throw Refused("no event in the body");
    WebhookEvent event;
    event.event_id = request.body().substr(0, space);
    event.subject = request.body().substr(space + 1);
    event.outcome = Outcome::unknown("", "");
    events.emit(event);
  }

 private:
  const Signature signature_;
  const std::string secret_;
  Bank bank_;
};

}  // namespace

ORDERD_PLUGIN(MyPayment, "my_payment", "0.1.0", "You")
