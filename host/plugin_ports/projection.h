#pragma once
// A plugin as a projection, in the host's own terms.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/uuid.h"
#include "plugin_ports/tx.h"

namespace orderd::plugins {

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

}  // namespace orderd::plugins
