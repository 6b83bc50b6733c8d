#include "plugin_host/calling/lent_call.h"
#include "plugin_host/calling/savepoint.h"
#include "plugin_host/calling/transactional_ports.h"
#include "plugin_host/calling/translate.h"

namespace orderd::plugins {
namespace {

/// How soon a command that failed alone is tried again.
constexpr Millis failed_retry_after{1000};

}  // namespace

/// The call that this thread is in: where complete() puts outcomes. One thread is in one call at a time.
struct TransactionalStep::Call {
  std::vector<std::optional<Outcome>> outcomes;
  std::string problem;
  static thread_local Call* current;
};
thread_local TransactionalStep::Call* TransactionalStep::Call::current = nullptr;

TransactionalStep::TransactionalStep(Instance& instance) : instance_(instance) {
  instance_.set_completion_target(this);
}

bool TransactionalStep::supports(std::string_view action) const {
  const auto held = instance_.held();
  return instance_.plugin() && table()->supports(instance_.plugin(), to_view(action)) != 0;
}

void TransactionalStep::execute(std::vector<Command>) {
  throw std::logic_error("execute() on a transactional step: " + instance_.name());
}

orderd_status TransactionalStep::complete(orderd_ticket ticket, const orderd_outcome* given) {
  const auto open = calls_.close(ticket);
  Call* call = Call::current;
  if (!open || !call || open->thread != std::this_thread::get_id()) {
    instance_.misbehaving(
        "it completed a ticket that is not open: done before, not its own, or on another thread");
    return ORDERD_E_STALE;
  }
  Outcome outcome;
  std::string problem;
  bool sound = read_outcome(given, open->query, outcome, problem);
  if (sound && outcome.kind > OutcomeKind::retry) {
    sound = false;
    problem = "in a transaction an outcome is DONE, DECLINED or RETRY, not " + std::to_string(given->kind);
  }
  if (!sound) {
    instance_.misbehaving("its outcome makes no sense: " + problem, open->order_id.to_string());
    call->problem = problem;
    return ORDERD_E_INVALID;
  }
  outcome.message = instance_.masked(std::move(outcome.message));
  call->outcomes[*open->batch_index] = std::move(outcome);
  return ORDERD_OK;
}

std::string TransactionalStep::call_plugin(TxPort& tx, const std::vector<Command>& commands,
                                           std::size_t first, std::size_t count,
                                           std::vector<Outcome>& outcomes) {
  Call call;
  call.outcomes.resize(count);
  AbiCommands batch(count);
  std::vector<orderd_ticket> tickets;
  for (std::size_t i = 0; i < count; ++i) {
    const Command& command = commands[first + i];
    tickets.push_back(calls_.open({command.order_id, command.key, !command.query_key.empty(),
                                   command.deadline, true, i, std::this_thread::get_id()}));
    batch.add(command, tickets.back());
  }
  Call::current = &call;
  const LentCall lent = call_with(instance_, tx, "execute_tx", [&](orderd_tx* loan, orderd_error* error) {
    return table()->execute_tx(instance_.plugin(), loan, batch.data(), batch.size(), error);
  });
  Call::current = nullptr;
  for (const orderd_ticket ticket : tickets) (void)calls_.close(ticket);
  if (lent.sql && lent.sql->ends_transaction()) throw *lent.sql;
  if (!lent.ok()) return lent.message;
  if (!call.problem.empty()) return instance_.name() + ": " + call.problem;
  const auto unanswered =
      std::count_if(call.outcomes.begin(), call.outcomes.end(), [](const auto& one) { return !one; });
  if (unanswered > 0) {
    instance_.misbehaving("it left " + std::to_string(unanswered) + " of " + std::to_string(count) +
                          " commands unanswered");
    return instance_.name() + ": execute_tx() left commands unanswered";
  }
  for (std::size_t i = 0; i < count; ++i) outcomes[first + i] = std::move(*call.outcomes[i]);
  return "";
}

std::vector<Outcome> TransactionalStep::execute_in(TxPort& tx, const std::vector<Command>& commands) {
  std::vector<Outcome> outcomes(commands.size());
  all_or_one_by_one(
      tx, commands.size(),
      [&](std::size_t first, std::size_t count) { return call_plugin(tx, commands, first, count, outcomes); },
      [&](std::size_t index, const std::string& why) {
        Outcome& outcome = outcomes[index] = Outcome{};
        outcome.kind = OutcomeKind::retry;
        outcome.code = "PLUGIN_FAILED";
        outcome.message = why;
        outcome.retry_after = failed_retry_after;
      });
  return outcomes;
}

}  // namespace orderd::plugins
