#include "admin/verbs.h"

#include <algorithm>
#include <array>

#include "model/json.h"
#include "saga/storage/inbox.h"

namespace orderd::admin {
namespace {

using saga::Verb;

constexpr std::array<std::string_view, 4> names{"retry", "mark-done", "skip", "acknowledge"};
constexpr std::size_t effects_max = 16;

std::string missing_slot(const Record& record, const Slots& slots) {
  for (const saga::StepDefinition& step : record.definition->steps)
    if (!slots.contains(step.slot)) return step.slot;
  return {};
}

Judged judge(const Uuid& id, const Record& record, const Request& request, const Slots& slots) {
  Judged judged{id, Judged::Kind::refused, {}, {}};
  if (!record.saga) {
    judged.problem = "the order's saga has not begun";
    return judged;
  }
  if (!request.dry_run && !request.may_move_money && moves_money(request.verb, record)) {
    judged.kind = Judged::Kind::needs_money;
    judged.problem = "this moves money or stock: the scope ops:money is needed";
    return judged;
  }
  const Slots own = own_slots(record, slots);
  const saga::Facts facts = record.facts(own);
  judged.problem = saga::verb_problem(facts, *record.saga, request.verb);
  if (!judged.problem.empty()) return judged;
  if (const std::string slot = missing_slot(record, slots); !slot.empty()) {
    judged.problem =
        "its saga needs a plugin in slot " + slot + ", which this host does not have: set slot." + slot;
    return judged;
  }
  if (request.dry_run) judged.foresight = foresee(facts, *record.saga, request.verb, now());
  judged.kind = Judged::Kind::accepted;
  return judged;
}

std::string audit_data(const Request& request, const Verb& verb) {
  std::string out;
  json::Object object(out);
  object.raw("by", request.actor_data);
  if (!verb.reference.empty()) object.add("providerReference", verb.reference);
  if (verb.amount) object.add("amount", *verb.amount);
  if (verb.sequence != 0) object.add("sequence", verb.sequence);
  object.end();
  return out;
}

}  // namespace

std::string_view verb_name(Verb::Kind kind) { return names[static_cast<std::size_t>(kind)]; }

std::optional<Verb::Kind> parse_verb_name(std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Verb::Kind>(found - names.begin());
}

bool moves_money(const Verb& verb, const Record& record) {
  switch (verb.kind) {
    case Verb::Kind::done:
    case Verb::Kind::skip:
      return true;
    case Verb::Kind::acknowledge:
      return false;
    case Verb::Kind::retry:
      break;
  }
  const auto& open = record.saga->open;
  return open && record.definition->steps[static_cast<std::size_t>(open->step)].is_payment();
}

Foresight foresee(const saga::Facts& facts, const saga::Saga& saga, const Verb& verb, Time now) {
  Foresight out;
  saga::Decision decision = decide(facts, saga, verb, now);
  while (decision.ready && out.effects.size() < effects_max) {
    mark_sent(facts, decision.saga, now);
    const saga::OpenCommand& open = *decision.saga.open;
    const Command command = make_command(facts, decision.saga);
    const saga::StepDefinition& step = facts.definition.steps[static_cast<std::size_t>(open.step)];
    out.effects.push_back({command.action, facts.slots.at(step.slot).instance, command.key, command.amount,
                           !open.query, out.effects.empty()});
    if (open.query) break;  // what the provider will answer cannot be told
    Outcome success;
    success.kind = OutcomeKind::done;
    decision = decide(facts, decision.saga, saga::Answer{command.key, success, {}}, now);
  }
  out.status = decision.saga.status;
  out.stuck = decision.saga.stuck.has_value();
  return out;
}

std::vector<Judged> give(store::Connection& connection, const Request& request, const Slots& slots) {
  const auto found = records(connection, request.order_ids);
  std::vector<Judged> out;
  std::vector<saga::InboxRow> rows;
  for (const Uuid& id : request.order_ids) {
    const auto record = found.find(id);
    if (record == found.end()) {
      out.push_back({id, Judged::Kind::not_found, "there is no such order", {}});
      continue;
    }
    out.push_back(judge(id, record->second, request, slots));
    if (request.dry_run || out.back().kind != Judged::Kind::accepted) continue;
    Verb verb = request.verb;
    // What the person decided is about the command that was judged, and about no later one.
    if (record->second.saga->open && verb.kind != Verb::Kind::acknowledge && verb.sequence == 0)
      verb.sequence = record->second.saga->open->sequence;
    rows.push_back({id, std::move(verb)});
  }
  if (rows.empty()) return out;
  store::UnitOfWork work(connection);
  saga::put(work, rows);
  for (const saga::InboxRow& row : rows) {
    const Verb& verb = std::get<Verb>(row.input);
    auth::write_audit(work, {verb.actor, "saga." + std::string(verb_name(verb.kind)),
                             row.order_id.to_string(), verb.reason, audit_data(request, verb)});
  }
  work.commit();
  return out;
}

}  // namespace orderd::admin
