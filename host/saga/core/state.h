#pragma once
// The whole state of one order's saga, as a value. What is stored in `sagas.data` and, at the end, in the
// journal.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/uuid.h"
#include "model/order.h"
#include "model/step.h"
#include "saga/core/books.h"
#include "saga/core/timeline.h"

namespace orderd::saga {

/// Which way the saga goes. The numbers are stored.
enum class Mode : std::int16_t {
  forward = 1,     // towards CONFIRMED
  failing = 2,     // a step was refused: undoing, then REJECTED
  cancelling = 3,  // the buyer asked: undoing, then CANCELLED
  finished = 4,    // nothing is left to do; the row goes
};

/// What became of a step. The numbers are stored.
enum class StepResult : std::int16_t {
  none = 0,
  done = 1,       // its effect is there
  declined = 2,   // surely no effect
  skipped = 3,    // was not needed: a payment of nothing
  undone = 4,     // its effect was there and is taken back
  uncertain = 5,  // its effect may still come (PENDING when the saga turned round): undone in any case
};

/// Where the one command that a saga has under way is. The numbers are stored.
enum class CommandPhase : std::int16_t {
  sent = 1,     // intent committed: the plugin has it, or had it before a crash
  waiting = 2,  // is sent (again) at `next`
  pending = 3,  // the plugin said PENDING: waits for a webhook, asks at `next`
};

struct OpenCommand {
  std::int16_t step = 0;
  bool compensation = false;
  bool extend = false;   // keeps a reservation alive; whatever comes of it, `suspended` goes on
  bool recheck = false;  // asks once more for what was done before: its provider says that something changed
  bool query = false;    // what is sent next asks for the fate of this command, and changes nothing
  bool unknown = false;  // the last outcome told nothing: the effect may be there
  CommandPhase phase = CommandPhase::sent;
  std::string action;
  std::uint32_t sequence = 0, generation = 0, attempt = 1;
  std::uint32_t sends = 0;  // of the effect under its present key; an answer tells of one of them
  std::int64_t amount = 0;
  std::optional<std::int64_t> had;  // a refund or void: what the provider's total was when it was opened
  Time began{};                     // first attempt: the retry policy's total counts from here
  Time sent{};                      // last send
  Time key_sent{};                  // first send of the effect under its present key
  Time deadline{};                  // of the last send of an effect: before it, "not found" proves nothing
  Time unanswered_until{};          // of the sends of this key that nobody answered: the latest deadline
  Time contradicted_since{};        // since when its provider calls it a success that its totals lack
  Time next{};                      // waiting, pending
  std::optional<Time> expires;      // pending: given up then

  bool operator==(const OpenCommand&) const = default;
};

struct Saga {
  Uuid order_id;
  std::int16_t shard = 0;
  std::string definition;  // digest
  Mode mode = Mode::forward;
  Status status = Status::pending;
  std::int32_t version = 1;
  Time updated{};                 // of the last event: times of one order never go back
  std::vector<StepResult> steps;  // one a step of the definition
  std::optional<OpenCommand> open;
  std::uint32_t sequence = 0;       // of the last command
  std::optional<Reason> reason;     // why it does not end CONFIRMED
  std::optional<Reason> stuck;      // a person is needed; nothing happens until an operator's verb
  std::optional<Reason> attention;  // a person should look, the saga goes on: money was taken back elsewhere
  Time attention_since{};           // of `stuck` or `attention`
  PaymentView payment;
  PaymentStatus published_payment_status = PaymentStatus::none;  // payment status of the last event
  std::int64_t voided = 0;
  Books books;                             // what is known beside the provider's totals
  Time last_notice_at{};                   // when the latest of the provider's notices occurred, by its clock
  Time recheck_requested_at{};             // news without content came, and no call since has been answered
  std::string reference;                   // the provider's
  std::map<std::string, StateBlob> blobs;  // by slot: what plugins want back
  std::map<std::string, std::string> digests;    // by slot: SHA-256 of the build that serves it
  std::map<std::string, std::string> instances;  // by slot, if another than the slot's namesake serves it
  std::optional<OpenCommand> suspended;          // what waits while `open` extends a reservation
  std::optional<Time> reservation_expires_at;    // a reservation's own end; none: it has none
  Time extend_at{};                              // ... when to ask for more
  std::int16_t held_step = 0;                    // ... and the step that made it
  std::vector<Attempt> attempts;                 // the timeline, oldest first

  bool operator==(const Saga&) const = default;
};

/// The key under which the provider knows a command: <order>.<action>.<sequence>.g<generation>. A query's is
/// its own.
std::string command_key(const Saga& saga, const OpenCommand& open);
std::string command_key(const Saga& saga, const Attempt& attempt);
std::string query_key(const Saga& saga, const OpenCommand& open);

/// Whether the plugin has the open command, or had it before a crash.
inline bool is_out(const Saga& saga) { return saga.open && saga.open->phase == CommandPhase::sent; }

std::string to_json(const Saga& saga);
/// nullopt: damaged.
std::optional<Saga> from_json(std::string_view text);

}  // namespace orderd::saga
