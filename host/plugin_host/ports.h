#pragma once
// What the engines see of plugins: small ports in the host's own terms. The saga engine, the projection
// engine and the API hold references to them for as long as the Registry lives; the simulator brings its own.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/step.h"
#include "plugin_host/tx_port.h"

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

/// One event as a projection takes it.
struct ProjectionEvent {
  Uuid order_id;
  std::int32_t version = 0;
  Time at{};
  std::string_view type;            // "ORDER_CREATED"
  std::string_view status;          // of the order after it: "PENDING"
  std::string_view payment_status;  // "NONE"
  std::string_view payload_json;
};

/// What became of one event.
struct ApplyResult {
  enum class Kind {
    applied,
    duplicate,  // was applied before
    gap,        // earlier versions of this order are missing: read them, call again with them
    failed,     // cannot be applied, alone neither; `error` says why. It had no effect.
  };
  Kind kind = Kind::applied;
  std::string error;
};

enum class ProjectionTarget : std::int32_t { live = 0, shadow = 1 };

/// One instance of a plugin as a projection. Calls take turns: one engine thread per partition may call.
class ProjectionPort {
 public:
  virtual ~ProjectionPort() = default;
  virtual const std::string& instance() const = 0;
  /// One result per event. As execute_in(): a failing batch is done again one by one, TxError only for all of
  /// it.
  virtual std::vector<ApplyResult> apply(TxPort& tx, ProjectionTarget target,
                                         const std::vector<ProjectionEvent>& events) = 0;
  /// Empty tables beside the live ones; apply(shadow) fills them; finish puts them in the live ones' place.
  /// They throw TxError, also for a failure inside the plugin.
  virtual void rebuild_begin(TxPort& tx) = 0;
  virtual void rebuild_finish(TxPort& tx) = 0;
};

struct Product {
  std::string sku, name;
  std::int64_t unit_price = 0;  // minor unit
  std::string currency;
  std::uint8_t exponent = 2;
  std::int64_t available = 0;  // put(): on hand
  std::int64_t held = 0, sold = 0;
};

/// An inventory plugin's catalog. Errors are TxError, with
/// sqlstate_plugin_refused if no statement failed.
class CatalogPort {
 public:
  virtual ~CatalogPort() = default;
  virtual const std::string& instance() const = 0;
  /// Up to `limit` products with sku > after ("": from the first), in order of SKU.
  virtual std::vector<Product> list(TxPort& tx, const std::string& after, std::uint32_t limit) = 0;
  /// Goods in; negative for a correction. False for an unknown SKU.
  [[nodiscard]] virtual bool receive(TxPort& tx, const std::string& sku, std::int64_t quantity) = 0;
  /// Makes or updates products.
  virtual void put(TxPort& tx, const std::vector<Product>& products) = 0;
};

}  // namespace orderd::plugins
