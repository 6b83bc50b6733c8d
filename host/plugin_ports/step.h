#pragma once
// A plugin as a saga's step, in the host's own terms. The saga's engine holds it for as long as the Registry
// lives; the simulator brings its own.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/step.h"
#include "plugin_ports/tx.h"

namespace orderd::plugins {

/// Takes the outcome of one external command. Called on any thread, perhaps inside execute(); must only queue
/// it.
using CompletionSink = std::function<void(Completion)>;

/// One instance of a plugin as a saga step. [any thread]
class StepPort {
 public:
  virtual ~StepPort() = default;
  /// The instance's name in the configuration, and the SHA-256 (hex) of the library behind it.
  virtual const std::string& instance() const = 0;
  virtual const std::string& digest() const = 0;
  virtual bool supports(std::string_view action) const = 0;
  virtual bool transactional() const = 0;
  /// Whether it answers "<slot>.query".
  virtual bool can_query() const = 0;
  /// How long the provider knows a key again; zero: for ever.
  virtual Millis idempotency_window() const = 0;

  /// External steps: returns at once; exactly one Completion per command reaches the sink, whatever the
  /// plugin does. Not begun (queue full, refused, deadline passed while waiting) → RETRY; overdue, garbage,
  /// failure inside → UNKNOWN.
  virtual void execute(std::vector<Command> commands) = 0;
  /// Transactional steps: one Outcome per command, in order: DONE, DECLINED or RETRY. A batch that fails is
  /// rolled back and done again one by one; a command that fails alone has no effect and is RETRY with a
  /// code. Throws TxError only when the whole transaction is lost.
  virtual std::vector<Outcome> execute_in(TxPort& tx, const std::vector<Command>& commands) = 0;
};

}  // namespace orderd::plugins
