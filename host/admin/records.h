#pragma once
// One order as an operator's verbs and questions need it: its saga, live or finished, with the definition
// that it runs. Read from the write side, so never older than what anybody has seen. [the connection's
// thread]
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/order.h"
#include "saga/core/decide.h"
#include "store/connection.h"

namespace orderd::admin {

using Slots = std::map<std::string, saga::SlotInfo>;

struct Record {
  std::optional<saga::Saga> saga;  // none: it has not begun
  bool live = false;               // it is in `sagas`; else its last one, from the journal
  OrderBody body;
  std::string attention_json;  // {"code":…,"since":…}: what the order shows; "" for nothing
  std::shared_ptr<const saga::Definition> definition;  // shared by all orders that run it; set with `saga`

  /// For decide(); without `slots` only for what needs no plugin. Refers to this record.
  saga::Facts facts(const Slots& slots) const { return {body, *definition, slots}; }
};

/// Which instance serves a slot of this order; "" if nobody does.
std::string instance_of(const Record& record, const std::string& slot, const Slots& slots);

/// `slots` with the instances that serve this order.
Slots own_slots(const Record& record, Slots slots);

/// By order; one that does not exist is left out.
std::map<Uuid, Record> records(store::Connection& connection, const std::vector<Uuid>& order_ids);

/// What a saga is at, in a word.
enum class State {
  running,   // its plugin is working on a command
  waiting,   // for the time of the next attempt
  parked,    // that time is over, and it is held back: breaker, switch, or no host
  pending,   // for a webhook
  unknown,   // nobody knows whether the open command had its effect
  stuck,     // for a person
  finished,  // its journal alone is left
};
std::string_view name(State state);
std::optional<State> parse_state(std::string_view name);
State state_of(const saga::Saga& saga, Time now);
/// How long behind its time a saga counts as parked.
inline constexpr Millis parked_after{2000};

/// What is with the provider and not given back: captured, or else authorized; of a command whose fate nobody
/// knows, its amount. In the minor unit.
std::int64_t money_at_risk(const saga::Saga& saga);

}  // namespace orderd::admin
