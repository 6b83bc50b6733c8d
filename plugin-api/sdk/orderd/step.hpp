// Saga steps as classes: SagaStep for what is outside, TransactionalStep for data in the host's PostgreSQL.
#ifndef ORDERD_SDK_STEP_HPP
#define ORDERD_SDK_STEP_HPP

#include <type_traits>

#include "box.hpp"
#include "command.hpp"
#include "reply.hpp"
#include "transaction.hpp"

namespace orderd::sdk {

struct StepTraits {
  bool answers_queries = false;
  std::int64_t idempotency_window_ms = 0;  // 0: for ever
  std::uint32_t state_version_min = 0, state_version_max = 0;
};

/// An external step. Calls come from several threads at once.
class SagaStep {
 public:
  virtual ~SagaStep() = default;
  virtual StepTraits traits() const { return {}; }
  virtual bool supports(std::string_view action) const = 0;
  /// Never waits for the network: takes both over (std::move(reply)) and answers later, or answers at once.
  /// What it throws is answered with UNKNOWN.
  virtual void execute(Command command, Reply&& reply) = 0;
  /// The host stopped waiting for this ticket. Advisory.
  virtual void cancel(orderd_ticket) {}
};

/// A transactional step. Calls come from several threads at once, each with its own transaction.
class TransactionalStep {
 public:
  virtual ~TransactionalStep() = default;
  virtual StepTraits traits() const { return {}; }
  virtual bool supports(std::string_view action) const = 0;
  /// All commands of one transaction: one outcome each, in order; DONE, DECLINED or RETRY. Lock once, in one
  /// order. Throw to have all of it rolled back.
  virtual std::vector<Outcome> execute(Transaction& tx, const std::vector<CommandView>& commands) = 0;
};

template <class T>
struct StepTable {
  static void describe(orderd_plugin* plugin, orderd_step_traits* out) {
    guarded(nullptr, [&] {
      const StepTraits traits = self<T>(plugin).traits();
      if (traits.answers_queries) out->flags |= ORDERD_STEP_QUERY;
      if (std::is_base_of_v<TransactionalStep, T>) out->flags |= ORDERD_STEP_TRANSACTIONAL;
      out->idempotency_window_ms = traits.idempotency_window_ms;
      out->state_version_min = traits.state_version_min;
      out->state_version_max = traits.state_version_max;
    });
  }
  static std::int32_t supports(orderd_plugin* plugin, orderd_view action) {
    bool known = false;
    guarded(nullptr, [&] { known = self<T>(plugin).supports(text(action)); });
    return known ? 1 : 0;
  }
};

template <class T>
struct Tables<T, SagaStep> {
  static const void* find(const char* id) {
    static const orderd_step_v1 table = {StepTable<T>::describe, StepTable<T>::supports, execute, cancel,
                                         nullptr};
    return std::strcmp(id, ORDERD_EXT_STEP) == 0 ? &table : nullptr;
  }
  static orderd_status execute(orderd_plugin* plugin, const orderd_command* const* commands,
                               std::uint64_t count, orderd_error*) {
    const Host host(Box<T>::of(plugin).host);
    for (std::uint64_t i = 0; i < count; ++i)
      if (!StepTable<T>::supports(plugin, commands[i]->action)) return ORDERD_E_UNSUPPORTED;
    for (std::uint64_t i = 0; i < count; ++i) {
      Reply reply(host, commands[i]->ticket);
      orderd_error thrown;
      ORDERD_CLEAR(thrown);
      const auto status = guarded(&thrown, [&] {
        static_cast<SagaStep&>(self<T>(plugin)).execute(Command(*commands[i]), std::move(reply));
      });
      if (status == ORDERD_OK) continue;
      host.log(ORDERD_LOG_PLUGIN_MISBEHAVING, thrown.message, &commands[i]->order_id);
      if (reply.open()) reply(Outcome::unknown("EXCEPTION", thrown.message));
    }
    return ORDERD_OK;
  }
  static void cancel(orderd_plugin* plugin, orderd_ticket ticket) {
    guarded(nullptr, [&] { self<T>(plugin).cancel(ticket); });
  }
};

template <class T>
struct Tables<T, TransactionalStep> {
  static const void* find(const char* id) {
    static const orderd_step_v1 table = {StepTable<T>::describe, StepTable<T>::supports, nullptr, nullptr,
                                         execute_tx};
    return std::strcmp(id, ORDERD_EXT_STEP) == 0 ? &table : nullptr;
  }
  static orderd_status execute_tx(orderd_plugin* plugin, orderd_tx* tx, const orderd_command* const* commands,
                                  std::uint64_t count, orderd_error* error) {
    return guarded(error, [&] {
      const Host host(Box<T>::of(plugin).host);
      Transaction transaction(host, tx);
      std::vector<CommandView> views;
      views.reserve(static_cast<std::size_t>(count));
      for (std::uint64_t i = 0; i < count; ++i) views.emplace_back(commands[i]);
      const std::vector<Outcome> outcomes =
          static_cast<TransactionalStep&>(self<T>(plugin)).execute(transaction, views);
      if (outcomes.size() != views.size())
        throw Refused(
            "answered " + std::to_string(outcomes.size()) + " of " + std::to_string(count) + " commands",
            ORDERD_E_INTERNAL);
      for (std::size_t i = 0; i < outcomes.size(); ++i) host.complete(commands[i]->ticket, outcomes[i].abi());
    });
  }
};

}  // namespace orderd::sdk
#endif
