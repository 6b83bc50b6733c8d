#pragma once
// Plugins for the engine's world in memory: a bank with a ledger that no crash touches, and a stock.
#include "plugin_ports/step.h"
#include "support/saga_world_store.h"

namespace orderd::saga::test {

/// A provider with a ledger of its own, which no crash of the host touches; answers when told to.
class Bank final : public plugins::StepPort {
 public:
  explicit Bank(std::string name = "bank", std::string digest = "bank")
      : name_(std::move(name)), digest_(std::move(digest)) {}
  const std::string& instance() const override { return name_; }
  const std::string& digest() const override { return digest_; }
  bool supports(std::string_view) const override { return true; }
  bool transactional() const override { return false; }
  bool can_query() const override { return true; }
  Millis idempotency_window() const override { return Millis(0); }
  std::vector<Outcome> execute_in(plugins::TxPort&, const std::vector<Command>&) override { return {}; }
  void execute(std::vector<Command> commands) override {
    if (refusals > 0 && refusals-- > 0) throw std::runtime_error("the test takes no call");
    for (Command& command : commands) {
      if (away || command.action == "payment.query") {
        asked.emplace_back(std::move(command));
        continue;
      }
      if (effects.emplace(command.key, command).second) apply(command);
      asked.emplace_back(std::move(command));
    }
  }
  /// The outcomes of what was asked, in any order; some may be lost on the way.
  std::vector<Completion> answers() {
    std::vector<Completion> out;
    for (const Command& command : asked) {
      Completion completion{command.order_id, command.key, {}, digest_};
      completion.outcome.kind = away ? OutcomeKind::retry : OutcomeKind::done;
      completion.outcome.totals = totals[command.order_id];
      if (command.action == "payment.query")
        completion.outcome.query_answer =
            effects.contains(command.query_key) ? QueryAnswer::found : QueryAnswer::not_found_final;
      out.push_back(std::move(completion));
    }
    asked.clear();
    return out;
  }
  std::map<std::string, Command> effects;
  std::map<Uuid, PaymentTotals> totals;
  std::vector<Command> asked;
  bool away = false;  // nothing reaches it: RETRY
  int refusals = 0;   // so many calls are not even taken

 private:
  void apply(const Command& command) {
    PaymentTotals& money = totals[command.order_id];
    if (command.action == "payment.authorize") money.authorized += command.amount;
    if (command.action == "payment.capture") money.captured += command.amount;
    if (command.action == "payment.refund") money.refunded += command.amount;
    if (command.action == "payment.void") money.voided = money.authorized - money.captured;
  }
  const std::string name_, digest_;
};

class Stock final : public plugins::StepPort {
 public:
  const std::string& instance() const override { return name_; }
  const std::string& digest() const override { return name_; }
  bool supports(std::string_view) const override { return true; }
  bool transactional() const override { return true; }
  bool can_query() const override { return false; }
  Millis idempotency_window() const override { return Millis(0); }
  void execute(std::vector<Command>) override {}
  std::vector<Outcome> execute_in(plugins::TxPort& tx, const std::vector<Command>& commands) override {
    auto& [on_hand, reserved, sold, closed, writes] = dynamic_cast<MemoryWork&>(tx).stock();
    std::vector<Outcome> out(commands.size());
    for (std::size_t i = 0; i < commands.size(); ++i) {
      const Uuid& id = commands[i].order_id;
      actions.push_back(commands[i].action);
      out[i].kind = OutcomeKind::done;
      if (commands[i].action == "inventory.reserve") on_hand -= reserved.insert(id).second;
      if (commands[i].action == "inventory.commit" && reserved.erase(id)) sold.insert(id);
      if (commands[i].action == "inventory.release")
        on_hand += static_cast<std::int64_t>(reserved.erase(id) + sold.erase(id)), closed.insert(id);
    }
    return out;
  }
  std::vector<std::string> actions;  // also of transactions that were rolled back

 private:
  const std::string name_ = "stock";
};

}  // namespace orderd::saga::test
