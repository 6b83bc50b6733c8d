// One payment as a saga drives it: each command carries what the last outcome left, what is pending or
// unknown is asked for by a query.
#ifndef ORDERD_TESTING_PAYMENT_HPP
#define ORDERD_TESTING_PAYMENT_HPP

#include "plugin.hpp"

namespace orderd::testing {

class Payment {
 public:
  Payment(Plugin& plugin, std::string subject, const std::string& token = "tok_ok")
      : plugin_(plugin), subject_(std::move(subject)), secret_(R"({"token":")" + token + R"("})") {}

  std::string currency = "EUR", method = "card";
  std::uint32_t exponent = 2;
  std::int64_t patience_ms = 5000;
  int queries_max = 20;
  std::function<void(const CommandSpec&, const sdk::Outcome&)> trace;  // each command, as it ends
  std::function<void(CommandSpec&)> complete{};                        // each command that spec() makes

  const orderd_totals& totals() const { return totals_; }
  CommandSpec spec(const std::string& action, std::int64_t amount) {
    CommandSpec one = command(action, subject_, ++sequence_);
    one.amount = amount;
    one.currency = currency;
    one.exponent = exponent;
    one.method = method;
    one.patience_ms = patience_ms;
    if (action == "payment.authorize") one.secret_json = secret_;
    if (complete) complete(one);
    return one;
  }
  /// A command as it is, with the state of this payment; no query follows.
  sdk::Outcome send(CommandSpec one) {
    one.totals = totals_;
    one.state = state_;
    one.provider_reference = reference_;
    const sdk::Outcome outcome = plugin_.run(one);
    if (outcome.totals) totals_ = *outcome.totals;
    if (outcome.state) state_ = *outcome.state;
    if (!outcome.provider_reference.empty()) reference_ = outcome.provider_reference;
    if (trace) trace(one, outcome);
    return outcome;
  }
  /// A command to its end: retried while RETRY, asked for while PENDING or UNKNOWN.
  sdk::Outcome settle(const CommandSpec& first) {
    CommandSpec one = first;
    sdk::Outcome outcome = send(one);
    for (int i = 0; i < queries_max; ++i) {
      const bool again = outcome.kind == ORDERD_RETRY && outcome.query_answer == 0;
      if (!again && outcome.kind != ORDERD_PENDING && outcome.kind != ORDERD_UNKNOWN &&
          outcome.query_answer != ORDERD_NOT_FOUND_YET && outcome.query_answer != ORDERD_NOT_FOUND_FINAL)
        break;
      const std::int64_t wait = outcome.retry_after_ms > 0 ? outcome.retry_after_ms : 50;
      std::this_thread::sleep_for(std::chrono::milliseconds(std::min<std::int64_t>(wait, 200)));
      if (again || outcome.query_answer == ORDERD_NOT_FOUND_FINAL) {
        ++one.attempt;
        outcome = send(one);
      } else {
        CommandSpec asked = query_of(one);
        asked.key += std::to_string(i);
        outcome = send(asked);
      }
    }
    return outcome;
  }
  sdk::Outcome settle(const std::string& action, std::int64_t amount) { return settle(spec(action, amount)); }

 private:
  Plugin& plugin_;
  const std::string subject_, secret_;
  int sequence_ = 0;
  orderd_totals totals_{};
  sdk::State state_;
  std::string reference_;
};

}  // namespace orderd::testing
#endif
