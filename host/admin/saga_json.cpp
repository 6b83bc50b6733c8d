#include "admin/saga_json.h"

#include <algorithm>

#include "model/order_json.h"
#include "saga/core/payment.h"

namespace orderd::admin {
namespace {

using saga::Saga;

constexpr std::string_view mode_names[] = {"", "FORWARD", "FAILING", "CANCELLING", "FINISHED"};
constexpr std::string_view result_names[] = {"OPEN", "DONE", "DECLINED", "SKIPPED", "UNDONE", "UNCERTAIN"};
constexpr std::string_view phase_names[] = {"", "SENT", "WAITING", "PENDING"};
constexpr std::string_view outcome_names[] = {"", "DONE", "DECLINED", "RETRY", "PENDING", "UNKNOWN"};
constexpr std::string_view answer_names[] = {"", "FOUND", "NOT_FOUND_FINAL", "NOT_FOUND_YET"};

/// By a stored number; one that this program does not know is shown as "?".
template <std::size_t count, typename Enum>
std::string_view pick(const std::string_view (&names)[count], Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < count ? names[index] : "?";
}

void add_time(json::Object& object, std::string_view name, Time time) {
  time == Time{} ? object.raw(name, "null") : object.add(name, to_rfc3339(time));
}

void add_or_null(json::Object& object, std::string_view name, const std::string& text) {
  text.empty() ? object.raw(name, "null") : object.add(name, text);
}

/// The saga's own, with its message; else what the order shows: a dead letter is no saga's affair.
std::string attention_of(const Record& record) {
  if (record.saga && (record.saga->attention || record.saga->stuck))
    return reason_json(record.saga->attention);
  return record.attention_json.empty() ? "null" : record.attention_json;
}

void add_summary(json::Object& object, const Uuid& id, const Record& record, const Slots& slots, Time now) {
  object.add("orderId", id.to_string());
  add_time(object, "placedAt", Time(Millis(id.unix_ms())));
  object.add("currency", record.body.currency).add("totalAmount", record.body.total);
  if (!record.saga) {
    object.raw("state", "null").raw("attention", attention_of(record));
    return;
  }
  const Saga& saga = *record.saga;
  object.add("state", name(state_of(saga, now))).add("status", name(saga.status));
  object.add("mode", pick(mode_names, saga.mode)).add("version", saga.version);
  object.add("saga", record.definition->name);
  const saga::StepDefinition* step =
      saga.open ? &record.definition->steps.at(static_cast<std::size_t>(saga.open->step)) : nullptr;
  add_or_null(object, "step", step ? step->name : "");
  add_or_null(object, "action", saga.open ? saga.open->action : "");
  add_or_null(object, "plugin", step ? instance_of(record, step->slot, slots) : "");
  object.add("attempt", saga.open ? saga.open->attempt : 0);
  add_time(
      object, "nextAt",
      saga.open && !saga.stuck && saga.open->phase != saga::CommandPhase::sent ? saga.open->next : Time{});
  object.raw("stuck", reason_json(saga.stuck)).raw("attention", attention_of(record));
  add_time(object, "attentionSince", saga.stuck || saga.attention ? saga.attention_since : Time{});
  object.add("moneyAtRisk", money_at_risk(saga));
  add_or_null(object, "providerReference", saga.reference);
}

std::string open_json(const Saga& saga, const saga::OpenCommand& open) {
  std::string out;
  json::Object object(out);
  object.add("action", open.action).add("commandKey", command_key(saga, open));
  object.add("phase", pick(phase_names, open.phase)).add("undo", open.compensation).add("query", open.query);
  object.add("unknown", open.unknown).add("attempt", open.attempt).add("amount", open.amount);
  add_time(object, "began", open.began);
  add_time(object, "sent", open.sent);
  add_time(object, "deadline", open.deadline);
  add_time(object, "next", open.next);
  add_time(object, "expires", open.expires.value_or(Time{}));
  object.end();
  return out;
}

std::string steps_json(const Record& record, const Slots& slots) {
  std::string out = "[";
  for (std::size_t i = 0; i < record.definition->steps.size(); ++i) {
    const saga::StepDefinition& step = record.definition->steps[i];
    if (i > 0) out.push_back(',');
    json::Object object(out);
    object.add("name", step.name).add("action", step.action);
    add_or_null(object, "undo", step.compensation);
    object.add("slot", step.slot);
    add_or_null(object, "plugin", instance_of(record, step.slot, slots));
    const auto digest = record.saga->digests.find(step.slot);
    add_or_null(object, "digest", digest == record.saga->digests.end() ? "" : digest->second);
    object.add("result", pick(result_names, record.saga->steps[i])).end();
  }
  return out + "]";
}

/// One line of the timeline.
struct Entry {
  Time at{};
  std::string json;
};

Entry entry_of(const Saga& saga, const saga::Attempt& attempt) {
  const bool verb = attempt.by.rfind("operator ", 0) == 0;
  const char* kind = verb ? "verb" : !attempt.by.empty() ? "notice" : attempt.query ? "query" : "call";
  std::string out;
  json::Object object(out);
  object.add("at", to_rfc3339(attempt.at)).add("kind", kind).add("action", attempt.action);
  if (attempt.sequence != 0 && !verb) object.add("commandKey", command_key(saga, attempt));
  if (!verb) object.add("outcome", pick(outcome_names, attempt.outcome));
  if (attempt.answer != QueryAnswer::none) object.add("queryAnswer", pick(answer_names, attempt.answer));
  if (!attempt.code.empty()) object.add("code", attempt.code);
  if (!attempt.message.empty()) object.add("message", attempt.message);
  if (attempt.by.empty()) object.add("tookMs", attempt.took_ms);
  if (!attempt.digest.empty()) object.add("digest", attempt.digest);
  object.add("by", attempt.by.empty() ? "saga" : attempt.by).end();
  return {attempt.at, out};
}

Entry entry_of(const Event& event) {
  std::string out;
  json::Object object(out);
  object.add("at", to_rfc3339(event.at)).add("kind", "event").add("type", name(event.type));
  object.add("version", event.version);
  if (const auto head = read_head(event)) {
    object.add("status", name(head->status)).add("paymentStatus", name(head->payment.status));
    object.raw("reason", reason_json(head->reason));
  }
  object.end();
  return {event.at, out};
}

Entry entry_of(const AuditRow& row) {
  std::string out;
  json::Object object(out);
  object.add("at", to_rfc3339(row.at)).add("kind", "audit").add("verb", row.verb).add("by", row.actor);
  add_or_null(object, "reason", row.reason);
  object.raw("data", row.data).end();
  return {row.at, out};
}

std::string timeline_json(const Record& record, const Past& past) {
  std::vector<Entry> entries;
  for (const Event& event : past.events) entries.push_back(entry_of(event));
  for (const AuditRow& row : past.audit) entries.push_back(entry_of(row));
  if (record.saga)
    for (const saga::Attempt& attempt : record.saga->attempts)
      entries.push_back(entry_of(*record.saga, attempt));
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.at < b.at; });
  std::string out = "[";
  for (const Entry& entry : entries) out.append(out.size() > 1 ? "," : "").append(entry.json);
  return out + "]";
}

std::string effect_json(const Effect& effect) {
  std::string out;
  json::Object object(out);
  object.add("action", effect.action).add("plugin", effect.instance).add("commandKey", effect.key);
  object.add("amount", effect.amount).add("changes", effect.changes);
  object.add("when", effect.at_once ? "AT_ONCE" : "IF_THOSE_BEFORE_SUCCEED").end();
  return out;
}

}  // namespace

std::string summary_json(const Uuid& id, const Record& record, const Slots& slots, Time now) {
  std::string out;
  json::Object object(out);
  add_summary(object, id, record, slots, now);
  object.end();
  return out;
}

std::string detail_json(const Uuid& id, const Record& record, const Past& past, const Slots& slots,
                        Time now) {
  std::string out;
  json::Object object(out);
  add_summary(object, id, record, slots, now);
  if (record.saga) {
    const Saga& saga = *record.saga;
    object.raw("reason", reason_json(saga.reason)).raw("payment", payment_json(shown(saga)));
    object.add("voided", saga.voided).add("definition", saga.definition);
    object.raw("open", saga.open ? open_json(saga, *saga.open) : "null");
    object.raw("suspended", saga.suspended ? open_json(saga, *saga.suspended) : "null");
    add_time(object, "heldUntil", saga.reservation_expires_at.value_or(Time{}));
    object.raw("steps", steps_json(record, slots));
  }
  object.raw("timeline", timeline_json(record, past)).end();
  return out;
}

std::string judged_json(const Judged& judged, saga::Verb::Kind verb, bool dry_run) {
  std::string out;
  json::Object object(out);
  object.add("orderId", judged.order_id.to_string()).add("verb", verb_name(verb));
  object.add("dryRun", dry_run).add("accepted", judged.kind == Judged::Kind::accepted);
  add_or_null(object, "problem", judged.problem);
  if (judged.foresight) {
    std::string effects = "[";
    for (const Effect& effect : judged.foresight->effects)
      effects.append(effects.size() > 1 ? "," : "").append(effect_json(effect));
    object.raw("effects", effects + "]").add("thenStatus", name(judged.foresight->status));
    object.add("thenStuck", judged.foresight->stuck);
  }
  object.end();
  return out;
}

}  // namespace orderd::admin
