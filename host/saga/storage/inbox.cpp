#include "saga/storage/inbox.h"

#include "model/json.h"
#include "model/order_json.h"
#include "plugin_ports/outcome_check.h"

namespace orderd::saga {
namespace {

constexpr store::Statement put_rows{
    "put_saga_inbox",
    "with put as (insert into saga_inbox (shard, order_id, kind, data) select o.shard, u.i, u.k, u.d "
    "from unnest($1::uuid[], $2::int2[], $3::jsonb[]) with ordinality u(i, k, d, n) "
    "join order_state o on o.id = u.i order by u.n returning 1) select count(*) from put"};

constexpr store::Statement put_one_replay{
    "put_replay",
    "insert into saga_inbox (shard, order_id, kind, data, at) select shard, id, 3::int2, $2::jsonb, "
    "$3::timestamptz from order_state where id = $1"};

std::string outcome_json(const Outcome& outcome) {
  std::string out;
  json::Object object(out);
  object.add("kind", static_cast<std::int64_t>(outcome.kind)).add("code", outcome.code);
  object.add("message", outcome.message).add("reference", outcome.provider_reference);
  if (outcome.totals) {
    std::string totals;
    json::Object members(totals);
    members.add("authorized", outcome.totals->authorized).add("captured", outcome.totals->captured);
    members.add("refunded", outcome.totals->refunded).add("voided", outcome.totals->voided).end();
    object.raw("totals", totals);
  }
  if (outcome.next_action)
    object.add("actionType", outcome.next_action->type).add("actionUrl", outcome.next_action->url);
  if (outcome.expires) object.add("expires", outcome.expires->time_since_epoch().count());
  object.end();
  return out;
}

Outcome read_outcome(const json::Value& value) {
  Outcome outcome;
  outcome.kind = static_cast<OutcomeKind>(json::integer(value, "kind", 5));
  outcome.code = json::string(value, "code");
  outcome.message = json::string(value, "message");
  outcome.provider_reference = json::string(value, "reference");
  if (const auto* totals = json::child(value, "totals"))
    outcome.totals = PaymentTotals{json::integer(*totals, "authorized"), json::integer(*totals, "captured"),
                                   json::integer(*totals, "refunded"), json::integer(*totals, "voided")};
  if (const auto type = json::string(value, "actionType"); !type.empty())
    outcome.next_action = NextAction{std::string(type), std::string(json::string(value, "actionUrl"))};
  if (const auto expires = json::integer(value, "expires"); expires != 0)
    outcome.expires = Time(Millis(expires));
  // A row may be of a release that judged less.
  const std::string problem = plugins::outcome_problem(outcome, false);
  return problem.empty() ? outcome : plugins::garbage(problem);
}

std::string notice_json(const Notice& notice) {
  std::string out;
  json::Object object(out);
  object.add("key", notice.key).add("action", notice.action).add("by", notice.by);
  if (notice.occurred) object.add("occurred", notice.occurred->time_since_epoch().count());
  object.raw("outcome", outcome_json(notice.outcome)).end();
  return out;
}

std::string verb_json(const Verb& verb) {
  std::string out;
  json::Object object(out);
  object.add("verb", name(verb.kind)).add("actor", verb.actor);
  object.add("reason", verb.reason).add("reference", verb.reference);
  if (verb.amount) object.add("amount", *verb.amount);
  if (verb.sequence != 0) object.add("seq", verb.sequence);
  object.end();
  return out;
}

std::optional<InboxInput> read_verb(const json::Value& document) {
  Verb verb;
  const auto kind = parse_verb(json::string(document, "verb"));
  if (!kind) return std::nullopt;
  verb.kind = *kind;
  verb.actor = json::string(document, "actor");
  verb.reason = json::string(document, "reason");
  verb.reference = json::string(document, "reference");
  if (document.HasMember("amount")) verb.amount = json::integer(document, "amount");
  verb.sequence = static_cast<std::uint32_t>(json::integer(document, "seq"));
  return verb;
}

}  // namespace

std::string to_json(const InboxInput& input) {
  if (const auto* notice = std::get_if<Notice>(&input)) return notice_json(*notice);
  return verb_json(std::get<Verb>(input));
}

std::optional<InboxInput> read_inbox(InboxKind kind, std::string_view data) {
  json::Document document;
  if (!json::parse(data, document) || !document.IsObject()) return std::nullopt;
  if (kind == InboxKind::verb) return read_verb(document);
  const auto* outcome = json::child(document, "outcome");
  if (kind != InboxKind::notice || !outcome) return std::nullopt;
  Notice notice{std::string(json::string(document, "key")), std::string(json::string(document, "action")),
                read_outcome(*outcome), std::string(json::string(document, "by"))};
  if (const auto occurred = json::integer(document, "occurred"); occurred != 0)
    notice.occurred = Time(Millis(occurred));
  return notice;
}

std::string replay_json(const Event& event, std::int64_t pos) {
  std::string out;
  json::Object object(out);
  object.add("order", event.order_id.to_string()).add("version", event.version);
  object.add("type", name(event.type)).add("at", event.at.time_since_epoch().count());
  object.add("payload", event.payload).add("traceparent", event.traceparent).add("pos", pos).end();
  return out;
}

std::optional<ReplayedEvent> read_replay(std::string_view data) {
  json::Document document;
  if (!json::parse(data, document) || !document.IsObject()) return std::nullopt;
  const auto id = Uuid::parse(json::string(document, "order"));
  const auto type = parse_event_type(json::string(document, "type"));
  if (!id || !type) return std::nullopt;
  return ReplayedEvent{
      {*id, static_cast<std::int32_t>(json::integer(document, "version")), *type,
       Time(Millis(json::integer(document, "at"))), std::string(json::string(document, "payload")),
       std::string(json::string(document, "traceparent"))},
      json::integer(document, "pos")};
}

void put_replay(store::UnitOfWork& work, const Event& event, std::int64_t pos, Time at) {
  work.send(put_one_replay,
            store::Args().uuid(event.order_id).jsonb(replay_json(event, pos)).timestamptz(at));
}

int put(store::UnitOfWork& work, const std::vector<InboxRow>& rows) {
  std::vector<Uuid> ids;
  std::vector<std::int16_t> kinds;
  std::vector<std::string> data;
  for (const InboxRow& row : rows) {
    ids.push_back(row.order_id);
    kinds.push_back(static_cast<std::int16_t>(std::holds_alternative<Notice>(row.input) ? InboxKind::notice
                                                                                        : InboxKind::verb));
    data.push_back(to_json(row.input));
  }
  const auto result = work.run(put_rows, store::Args().uuids(ids).int2s(kinds).jsonbs(data));
  return static_cast<int>(result.integer(0, 0));
}

}  // namespace orderd::saga
