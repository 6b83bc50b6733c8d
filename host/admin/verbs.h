#pragma once
// What an operator does about a saga. A verb is judged against the saga as it is stored, then becomes a row
// of `saga_inbox` with its row in `audit_log`, in one transaction; the owner of the order's shard judges it
// again when it takes it. A dry run runs decide() on a copy, and changes nothing.
#include <optional>
#include <string>
#include <vector>

#include "admin/records.h"
#include "auth/audit.h"
#include "saga/core/decide.h"

namespace orderd::admin {

inline constexpr std::size_t orders_per_bulk_max = 100;

/// "retry", "mark-done", "skip", "acknowledge": as API and orderctl call them.
std::string_view verb_name(saga::Verb::Kind kind);
std::optional<saga::Verb::Kind> parse_verb_name(std::string_view name);

/// Whether this verb may move money or stock, so that `ops:money` is needed: marking done and skipping
/// always, a retry of a payment.
bool moves_money(const saga::Verb& verb, const Record& record);

/// One command that a plugin would get.
struct Effect {
  std::string action;    // "payment.refund"; "payment.query" asks and changes nothing
  std::string instance;  // whose plugin
  std::string key;       // the command's
  std::int64_t amount = 0;
  bool changes = true;  // false: a query
  bool at_once = true;  // false: once those before it have succeeded
};
struct Foresight {
  std::vector<Effect> effects;
  Status status = Status::pending;  // of the order when all of them have succeeded
  bool stuck = false;               // and whether it still waits for a person then
};
/// What follows from a verb that makes sense, as far as it can be told: until an outcome is needed that
/// nobody can guess. Pure.
Foresight foresee(const saga::Facts& facts, const saga::Saga& saga, const saga::Verb& verb, Time now);

struct Judged {
  enum class Kind { accepted, refused, not_found, needs_money };
  Uuid order_id;
  Kind kind = Kind::accepted;
  std::string problem;                 // refused: why, for the person who asked
  std::optional<Foresight> foresight;  // of a dry run
};

struct Request {
  std::vector<Uuid> order_ids;  // each once
  saga::Verb verb;
  std::string actor_data = "{}";  // of who asks: goes into the audit row
  bool may_move_money = false;
  bool dry_run = false;
};
/// One result an order, in their order. `slots` is needed for a dry run alone.
std::vector<Judged> give(store::Connection& connection, const Request& request, const Slots& slots);

}  // namespace orderd::admin
