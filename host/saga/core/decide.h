#pragma once
// The saga's brain: pure functions from a state and an input to the next state, events and at most one
// command. No clock, no I/O, no log. The engine saves what they return, then carries the command out.
//
// 1. Forward: each step in turn. A step's success sets its status (one event) or rides on the next one.
// 2. A refused step, or a cancellation, turns the saga round: what is done is undone in reverse, what is
//    under way is waited for first, and only then the order is REJECTED or CANCELLED. Nothing is terminal
//    while money or stock is held.
// 3. An outcome that nobody knows is asked for (query) under the same key until the provider tells. Never
//    guessed.
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "model/order.h"
#include "model/step.h"
#include "saga/core/definition.h"
#include "saga/core/state.h"

namespace orderd::saga {

/// What the brain must know of the plugin behind a slot.
struct SlotInfo {
  std::string instance;
  bool transactional = false;
  bool can_query = false;
  bool can_extend = false;  // knows "<slot>.extend"
  Millis key_window{0};     // how long the provider knows a key again; 0: for ever
  std::string digest{};     // of the build
};

/// What does not change during an order's life.
struct Facts {
  const OrderBody& body;
  const Definition& definition;
  const std::map<std::string, SlotInfo>& slots;
};

/// The order was placed.
struct Begin {};
/// A command came back, inline or later.
struct Answer {
  std::string key;
  Outcome outcome;
  std::string digest;
};
/// The API recorded the buyer's wish as `version` of the order.
struct Cancel {
  std::int32_t version = 0;
  Time at{};
  Reason reason;
};
/// A time of wake_time() is reached.
struct Due {};
/// What a provider says by itself (webhook) or when it is asked for everything (sweeper). It may be early,
/// late, doubled or out of order, and the order's saga may be finished.
struct Notice {
  std::string key;     // the command it is about, or ""
  std::string action;  // without a key: "payment.capture", or "" for the payment as a whole
  Outcome outcome;
  std::string by;                  // "webhook evt_1", "sweeper"
  std::optional<Time> occurred{};  // by the provider's clock
};
/// What a person decided about a saga that waits.
struct Verb {
  enum class Kind {
    retry,  // now, whatever it waits for
    done,   // the effect is there: the person has seen it at the provider
    skip,   // the effect is not needed: an undo that somebody did elsewhere, a step that may be left out
    acknowledge,  // seen: `attention` goes
  };
  Kind kind = Kind::retry;
  std::string actor, reason;
  std::string reference;               // done, of a payment: the provider's
  std::optional<std::int64_t> amount;  // done, of a payment: what was moved
  std::uint32_t sequence = 0;          // of the command that the person has seen; 0: whichever is open
};
/// Another owner had this saga: what is open may or may not have happened.
struct TakenOver {};
/// "retry", "done", "skip", "acknowledge".
std::string_view name(Verb::Kind);
std::optional<Verb::Kind> parse_verb(std::string_view);
using Input = std::variant<Begin, Answer, Cancel, Due, TakenOver, Notice, Verb>;

struct Decision {
  Saga saga;
  std::vector<OrderHead> events;  // in version order
  bool ready = false;             // `saga.open` is to be sent, as soon as it is let out: mark_sent() then
  bool secret_settled = false;    // the payment secret has done its service
  bool stale = false;             // the answer belongs to nothing that is open; nothing changed
};

/// A saga before its first step.
Saga fresh_saga(const Uuid& order_id, std::int16_t shard, const Facts& facts, Time placed);
Decision decide(const Facts& facts, Saga saga, const Input& input, Time now);
/// The open command goes out: after COMMIT if its slot is external, else inside the transaction.
void mark_sent(const Facts& facts, Saga& saga, Time now);
/// Ends a transaction's decisions on one order: a payment status that no event told yet gets its own,
/// PAYMENT_UPDATED.
void tell_payment(Decision& decision, Time now);

/// When a saga has to be looked at again without anybody's doing; nullopt: it waits for an answer or a
/// person. `held`: its call may not go out for now, only its other times count.
std::optional<Time> wake_time(const Facts& facts, const Saga& saga, bool held = false);
/// Whether a verb makes sense now; "" or why not, for the person who asked.
std::string verb_problem(const Facts& facts, const Saga& saga, const Verb& verb);

/// The open command as the plugin gets it; without secret and trace.
Command make_command(const Facts& facts, const Saga& saga);
bool is_transactional(const Facts& facts, const Saga& saga);

}  // namespace orderd::saga
