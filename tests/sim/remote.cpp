#include "sim/remote.h"

#include "sim/host.h"
#include "sim/world.h"

namespace orderd::sim {
namespace {

constexpr int wire_ms_max = 60;

OutcomeKind kind_of(Fate fate) {
  switch (fate) {
    case Fate::done:
      return OutcomeKind::done;
    case Fate::declined:
      return OutcomeKind::declined;
    case Fate::pending:
      return OutcomeKind::pending;
    case Fate::failed:
    case Fate::never:
      return OutcomeKind::retry;
    case Fate::under_way:
      break;
  }
  return OutcomeKind::unknown;
}

const char* word(const Outcome& outcome) {
  static constexpr const char* kinds[] = {"?", "DONE", "DECLINED", "RETRY", "PENDING", "UNKNOWN"};
  return kinds[static_cast<std::size_t>(outcome.kind)];
}

std::string words(const Outcome& outcome) {
  static constexpr const char* answers[] = {"", "found ", "NOT_FOUND_FINAL ", "NOT_FOUND_YET "};
  return answers[static_cast<std::size_t>(outcome.query_answer)] + std::string(word(outcome)) +
         (outcome.code.empty() ? "" : " " + outcome.code);
}

}  // namespace

Outcome simple(OutcomeKind kind, std::string code) {
  Outcome outcome;
  outcome.kind = kind;
  outcome.code = std::move(code);
  return outcome;
}

void Remote::later(const Uuid& order, Millis wait, std::function<void()> what) {
  ++on_their_way_[order];
  world_.agenda.at(world_.now() + wait, [this, order, what = std::move(what)] {
    --on_their_way_[order];
    what();
  });
}

bool Remote::waits(const Uuid& order) const {
  const auto found = on_their_way_.find(order);
  return found != on_their_way_.end() && found->second > 0;
}

const Call* Remote::find(const std::string& key) const {
  const auto found = calls_.find(key);
  return found == calls_.end() ? nullptr : &found->second;
}

Call* Remote::entry(const std::string& key) {
  const auto found = calls_.find(key);
  return found == calls_.end() ? nullptr : &found->second;
}

void Remote::be_away(Millis time) {
  away_until_ = world_.now() + time;
  world_.say([&] { return name_ + " is away for " + std::to_string(time.count()) + " ms"; });
}

void Remote::request(const Caller& caller, Command command) {
  ++world_.calls;
  if (world_.chance(weather_.lost_request)) {
    world_.hit(Hit::lost_request);
    world_.say([&] { return "  lost on its way to the " + name_ + ": " + world_.short_key(command.key); });
    return;
  }
  if (world_.chance(weather_.cut)) {
    world_.hit(Hit::connection_cut);
    world_.say([&] { return "  cut behind its request: " + world_.short_key(command.key); });
    later(command.order_id, world_.random.ms(1, 300),
          [caller] { caller.host->answered(caller, simple(OutcomeKind::unknown, "CUT")); });
  }
  // Some are slow on the wire: nobody sees them until they arrive.
  const auto left = static_cast<int>((command.deadline - world_.now()).count());
  const bool slow = world_.chance(weather_.slow_wire) && left > wire_ms_max + 1;
  const Millis wait = slow ? world_.random.ms(wire_ms_max, left - 1) : world_.random.ms(1, wire_ms_max);
  const Uuid order_id = command.order_id;
  later(order_id, wait, [this, caller, command = std::move(command)] { arrive(caller, command); });
}

void Remote::arrive(const Caller& caller, const Command& command) {
  if (world_.now() >= command.deadline) return;  // its caller hung up
  if (world_.now() < away_until_) {
    world_.hit(Hit::outage);
    return reply(caller, command, simple(OutcomeKind::retry, "UNAVAILABLE"));
  }
  if (auto answer = misdirected(command)) return reply(caller, command, std::move(*answer));
  command.query_key.empty() ? perform(caller, command) : ask(caller, command);
}

/// True when this key was here before: it gets what the first call got.
bool Remote::is_known(const Caller& caller, const Command& command) {
  const Call* known = find(command.key);
  if (!known) return false;
  if (known->fate == Fate::under_way) {
    world_.hit(Hit::in_progress);
    if (world_.random.chance(50)) reply(caller, command, simple(OutcomeKind::retry, "IN_PROGRESS"));
    return true;
  }
  const bool remembered = key_window_ == Millis(0) || known->fate == Fate::pending ||
                          known->fate == Fate::never || world_.now() - known->at < key_window_;
  if (!remembered && known->fate == Fate::done)
    throw Wrong("a key is sent again that the " + name_ + " has forgotten: " + world_.short_key(command.key));
  if (!remembered) return false;
  world_.hit(Hit::same_key_again);
  reply(caller, command, outcome_of(*known));
  return true;
}

void Remote::perform(const Caller& caller, const Command& command) {
  if (is_known(caller, command)) return;
  if (world_.chance(weather_.busy)) {
    world_.hit(Hit::busy);
    return reply(caller, command, simple(OutcomeKind::retry, "BUSY"));
  }
  Call call{command.key, command.order_id, command.action, command.amount};
  call.at = world_.now();
  if (world_.chance(weather_.stored_failure)) {
    world_.hit(Hit::stored_failure);
    call.fate = Fate::failed;
    call.code = "PROCESSING_ERROR";
    calls_[command.key] = call;
    return reply(caller, command, outcome_of(call));
  }
  if (!world_.chance(weather_.slow)) return finish(caller, command);
  world_.hit(Hit::slow);
  call.fate = Fate::under_way;
  calls_[command.key] = call;
  later(command.order_id, world_.random.ms(50, 4000), [this, caller, command] { finish(caller, command); });
}

void Remote::finish(const Caller& caller, const Command& command) {
  const bool late = world_.now() >= command.deadline;
  Call fresh{command.key, command.order_id, command.action, command.amount};
  fresh.at = world_.now();
  if (world_.chance(world_.plan.query_lags)) fresh.visible = world_.now() + world_.random.ms(50, 2500);
  const auto call = carry_out(command, std::move(fresh));
  if (!call) {
    calls_.erase(command.key);
    return reply(caller, command, simple(OutcomeKind::retry, "NOT_NOW"));
  }
  calls_[command.key] = *call;
  if (late && call->fate == Fate::done) world_.hit(Hit::late_effect);
  world_.say([&] {
    return "  " + name_ + ": " + world_.short_key(command.key) + " " + words(outcome_of(*call)) +
           (late ? " (nobody waits for it any more)" : "");
  });
  reply(caller, command, outcome_of(*call));
  finished(*call);
}

void Remote::ask(const Caller& caller, const Command& command) {
  const Call* call = find(command.query_key);
  Outcome outcome = simple(OutcomeKind::unknown, "");
  if (call && (call->fate == Fate::under_way || world_.now() < call->visible)) {
    world_.hit(Hit::query_yet);
    outcome.query_answer = QueryAnswer::not_found_yet;
  } else if (call && call->fate != Fate::never) {
    world_.hit(Hit::query_found);
    outcome = outcome_of(*call);
    outcome.query_answer = QueryAnswer::found;
  } else {
    world_.hit(Hit::query_final);
    outcome = outcome_of({command.query_key, command.order_id, command.query_action, 0, Fate::never});
    outcome.query_answer = QueryAnswer::not_found_final;
    if (world_.plan.query_closes && !call) {
      world_.hit(Hit::query_closed_key);
      Call closed{command.query_key, command.order_id, command.query_action, 0, Fate::never, "NEVER_CAME"};
      calls_[command.query_key] = closed;
    }
  }
  reply(caller, command, std::move(outcome));
}

void Remote::reply(const Caller& caller, const Command& command, Outcome outcome) {
  if (world_.chance(weather_.lost_reply)) {
    world_.hit(command.query_key.empty() ? Hit::lost_reply : Hit::query_lost);
    world_.say([&] { return "  the " + name_ + "'s answer is lost: " + world_.short_key(command.key); });
    return;
  }
  const bool slow = world_.chance(weather_.slow / 2);
  later(command.order_id, slow ? world_.random.ms(60, 1500) : world_.random.ms(1, wire_ms_max),
        [this, caller, command, outcome = std::move(outcome)] {
          world_.say([&] {
            return "  answer of the " + name_ + ": " + world_.short_key(command.key) + " " + words(outcome);
          });
          caller.host->answered(caller, outcome);
        });
}

Outcome Remote::outcome_of(const Call& call) const {
  Outcome outcome = simple(kind_of(call.fate), call.code);
  outcome.expires = call.expires;
  return outcome;
}

}  // namespace orderd::sim
