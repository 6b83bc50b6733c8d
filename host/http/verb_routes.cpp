// POST /api/admin/sagas/{orderId}/retry, /mark-done, /skip, /acknowledge, and …/bulk: what a person decides
// about sagas. The answer is 202: the owner of the order's shard takes the verb within moments.
#include <set>

#include "admin/saga_json.h"
#include "http/operator.h"
#include "http/routes.h"

namespace orderd::http {
namespace {

using saga::Verb;
constexpr std::int64_t amount_max = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t age_max_s = 10LL * 365 * 86'400;

/// 401 or 403 for who may not give this verb at all. A retry of a payment needs ops:money besides, which
/// shows once the order is read.
std::optional<Problem> authorize_verb(const Call& call, Verb::Kind kind, bool dry_run) {
  if (dry_run) return authorize(call, Scope::ops_read);
  const bool money = kind == Verb::Kind::done || kind == Verb::Kind::skip;
  return authorize(call, money ? Scope::ops_money : Scope::ops_act);
}

admin::Request request_of(const Call& call, Verb verb, bool dry_run) {
  verb.actor = actor_of(call);
  return {{}, std::move(verb), actor_data(call), !authorize(call, Scope::ops_money), dry_run};
}

Answer give_one(const ApiParts& parts, Verb::Kind kind, Call& call) {
  Query query(call.request.query(), {"dryRun"});
  const bool dry_run = dry_run_in(query);
  if (auto problem = authorize_verb(call, kind, dry_run)) return std::move(*problem);
  if (!query.errors().empty()) return Problem{Error::invalid_parameter, {}, query.errors(), {}};
  if (auto problem = refuse_other_than_json(call)) return std::move(*problem);
  const auto id = Uuid::parse(call.params.at(0));
  if (!id) return Problem{Error::order_not_found, {}, {}, {}};
  intake::Checker check;
  const bool done = kind == Verb::Kind::done;
  const auto read = done ? read_body_of(call, check, {"reason", "providerReference", "amount"})
                         : read_body_of(call, check, {"reason"});
  if (const auto* problem = std::get_if<Problem>(&read)) return *problem;
  const auto& body = std::get<json::Document>(read);
  Verb verb;
  verb.kind = kind;
  verb.reason = check.text(body, "", "reason", intake::Checker::Presence::required);
  if (done) {
    verb.reference = check.text(body, "", "providerReference", intake::Checker::Presence::optional);
    verb.amount =
        body.HasMember("amount") ? check.integer(body, "", "amount", {0, amount_max}) : std::nullopt;
  }
  if (!check.errors().empty()) return problem_of(check);

  admin::Request request = request_of(call, std::move(verb), dry_run);
  request.order_ids = {*id};
  auto connection = parts.pool.acquire();
  const auto judged = admin::give(*connection, request, parts.admin.slots).front();
  switch (judged.kind) {
    case admin::Judged::Kind::not_found:
      return Problem{Error::order_not_found, {}, {}, {}};
    case admin::Judged::Kind::needs_money:
      if (auto problem = authorize(call, Scope::ops_money)) return std::move(*problem);
      break;
    case admin::Judged::Kind::refused:
      return Problem{Error::verb_refused, "This cannot be done: " + judged.problem + ".", {}, {}};
    case admin::Judged::Kind::accepted:
      break;
  }
  return json_reply(dry_run ? 200 : 202, admin::judged_json(judged, kind, dry_run));
}

std::vector<Uuid> ids_in(intake::Checker& check, const json::Value& list) {
  std::set<Uuid> ids;
  if (!list.IsArray() || list.Empty() || list.Size() > admin::orders_per_bulk_max)
    check.error("/orderIds", "must be a list of 1 to " + std::to_string(admin::orders_per_bulk_max) + " ids");
  else
    for (rapidjson::SizeType i = 0; i < list.Size(); ++i) {
      const auto id = list[i].IsString() ? Uuid::parse(list[i].GetString()) : std::nullopt;
      if (id)
        ids.insert(*id);
      else
        check.error("/orderIds/" + std::to_string(i), "is no order's id");
    }
  return {ids.begin(), ids.end()};
}

/// The filter of a bulk, with the names that the list's parameters have.
std::optional<admin::SagaFilter> filter_in(intake::Checker& check, const json::Value& value,
                                           const AdminParts& admin) {
  using Presence = intake::Checker::Presence;
  const json::Value* given = check.object(value, "/filter");
  if (!given) return std::nullopt;
  check.known_only(*given, "/filter", {"state", "step", "plugin", "code", "olderThanSeconds"});
  FilterText text;
  const std::pair<const char*, std::optional<std::string>*> members[] = {
      {"state", &text.state}, {"step", &text.step}, {"plugin", &text.plugin}, {"code", &text.code}};
  for (const auto& [name, member] : members)
    if (given->HasMember(name)) *member = check.text(*given, "/filter", name, Presence::optional);
  if (given->HasMember("olderThanSeconds"))
    text.older_than_s = check.integer(*given, "/filter", "olderThanSeconds", {0, age_max_s}).value_or(0);
  return filter_of(text, admin, [&](const char* name, std::string message) {
    check.error("/filter/" + std::string(name), std::move(message));
  });
}

struct Bulk {
  Verb verb;
  bool dry_run = false;
  std::vector<Uuid> order_ids;
  std::optional<admin::SagaFilter> filter;
};

Bulk bulk_in(intake::Checker& check, const json::Document& body, const AdminParts& admin) {
  using Presence = intake::Checker::Presence;
  Bulk bulk;
  const auto kind = admin::parse_verb_name(check.text(body, "", "verb", Presence::required));
  if (!kind || *kind == Verb::Kind::done)
    check.error("/verb", "must be retry, skip or acknowledge; mark-done needs an order's own reference");
  bulk.verb.kind = kind.value_or(Verb::Kind::done);
  bulk.verb.reason = check.text(body, "", "reason", Presence::required);
  if (body.HasMember("dryRun") && !body["dryRun"].IsBool()) check.error("/dryRun", "must be true or false");
  bulk.dry_run = json::boolean(body, "dryRun");
  const bool has_ids = body.HasMember("orderIds");
  if (has_ids == body.HasMember("filter")) check.error("", "either orderIds or filter is needed");
  if (has_ids) bulk.order_ids = ids_in(check, body["orderIds"]);
  if (body.HasMember("filter")) bulk.filter = filter_in(check, body["filter"], admin);
  return bulk;
}

Answer give_many(const ApiParts& parts, Call& call) {
  if (auto problem = authorize_operator(call)) return std::move(*problem);
  if (auto problem = refuse_other_than_json(call)) return std::move(*problem);
  intake::Checker check;
  const auto read = read_body_of(call, check, {"verb", "reason", "orderIds", "filter", "dryRun"});
  if (const auto* problem = std::get_if<Problem>(&read)) return *problem;
  Bulk bulk = bulk_in(check, std::get<json::Document>(read), parts.admin);
  if (auto problem = authorize_verb(call, bulk.verb.kind, bulk.dry_run)) return std::move(*problem);
  if (!check.errors().empty()) return problem_of(check);
  auto connection = parts.pool.acquire();
  bool more = false;
  if (bulk.filter) {
    const auto page =
        admin::list_sagas(*connection, *bulk.filter, parts.admin.slots, "", admin::orders_per_bulk_max);
    bulk.order_ids = page->order_ids;
    more = !page->next.empty();
  }
  admin::Request request = request_of(call, bulk.verb, bulk.dry_run);
  request.order_ids = std::move(bulk.order_ids);
  std::string results = "[";
  for (const auto& judged : admin::give(*connection, request, parts.admin.slots))
    results.append(results.size() > 1 ? "," : "")
        .append(admin::judged_json(judged, request.verb.kind, bulk.dry_run));
  std::string body;
  json::Object object(body);
  object.raw("results", results + "]").add("more", more).end();
  return json_reply(bulk.dry_run ? 200 : 202, std::move(body));
}

}  // namespace

void add_verb_routes(Router& router, const ApiParts& parts) {
  router.add("POST", "/api/admin/sagas/bulk", [&parts](Call& call) { return give_many(parts, call); });
  for (const auto kind : {Verb::Kind::retry, Verb::Kind::done, Verb::Kind::skip, Verb::Kind::acknowledge})
    router.add("POST", "/api/admin/sagas/{orderId}/" + std::string(admin::verb_name(kind)),
               [&parts, kind](Call& call) { return give_one(parts, kind, call); });
}

}  // namespace orderd::http
