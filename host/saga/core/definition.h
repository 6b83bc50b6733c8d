#pragma once
// A saga as data: which steps, by which plugin slot, how undone, which status each sets. Read from
// config/sagas/*.json, kept by digest, so that an order in flight runs what it began with whatever happens to
// the file.
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/status.h"

namespace orderd::saga {

/// Exponential: first_ms, doubled each time up to cap_ms, half of it jitter.
struct RetryPolicy {
  Millis first{200};
  Millis cap{30'000};
  Millis total{600'000};  // counted from the first attempt: then a step before the pivot counts as declined,
                          // another is STUCK
};

struct StepDefinition {
  std::string name;          // "authorize": unique in its saga
  std::string slot;          // "payment": which plugin
  std::string action;        // "payment.authorize"
  std::string compensation;  // "payment.void"; "" when nothing is to be undone
  std::optional<Status>
      status;              // what its success makes of the order; none: its facts ride on the next event
  bool event = false;      // without a status: success is a STEP_COMPLETED of its own
  bool pivot = false;      // once done, the order only goes forward
  Millis timeout{10'000};  // a call that takes longer is UNKNOWN
  RetryPolicy retry;

  bool is_payment() const { return action.rfind("payment.", 0) == 0; }
};

struct Definition {
  std::string name;
  std::vector<StepDefinition> steps;
  Millis total{0};     // from placing to the pivot: then the order is undone and REJECTED; 0: no limit
  std::string text;    // the file, as read
  std::string digest;  // SHA-256 of `text`
};

/// Names the file, the key and what was expected.
class DefinitionError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws DefinitionError. `source` is the file's name for messages.
Definition parse_definition(const std::string& text, const std::string& source);
Definition load_definition(const std::string& path);

}  // namespace orderd::saga
