// GET /api/orders/{id}/explain: one paragraph about one order. A tracking token does not open it: it opens
// the order and its stream only.
#include "admin/explain.h"
#include "admin/switches.h"
#include "http/routes.h"
#include "model/order_json.h"
#include "outbox/log.h"

namespace orderd::http {
namespace {

constexpr store::Statement read_dead_letter{
    "explain_dead_letter",
    "select reason from parked where order_id = $1 and consumer like 'saga%' order by id limit 1"};

/// Why the open step's calls do not go out; "" if they do, or if there is none.
std::string held_back(store::Connection& connection, const admin::Record& record, const admin::Slots& slots) {
  if (!record.live || !record.saga->open || record.saga->stuck) return "";
  const auto& open = *record.saga->open;
  const auto slot = slots.find(record.definition->steps.at(static_cast<std::size_t>(open.step)).slot);
  return slot == slots.end() ? "" : admin::held_back(connection, slot->second.instance, open.action);
}

Answer explain(const ApiParts& parts, Call& call) {
  if (auto problem = authorize(call, Scope::orders_read)) return std::move(*problem);
  if (auto problem = refuse_other_than_json(call)) return std::move(*problem);
  const auto id = Uuid::parse(call.params.at(0));
  if (!id) return Problem{Error::order_not_found, {}, {}, {}};
  auto connection = parts.pool.acquire();
  const auto records = admin::records(*connection, {*id});
  const auto events = outbox::history(*connection, *id);
  if (records.empty() || events.empty() || !may_see(call, events.front().event))
    return Problem{Error::order_not_found, {}, {}, {}};
  const admin::Record& record = records.at(*id);
  const auto head = read_head(events.back().event);
  if (!head) return Problem{Error::internal, {}, {}, {}};
  admin::Situation situation{*head, held_back(*connection, record, parts.admin.slots), {}};
  if (const auto letter = connection->run(read_dead_letter, store::Args().uuid(*id)); !letter.empty())
    situation.dead_letter = letter.bytes(0, 0);

  const Time at = now();
  const auto told = admin::explain(record, situation, parts.admin.slots, at);
  std::string body;
  json::Object object(body);
  object.add("orderId", id->to_string()).add("explanation", told.text).add("status", name(head->status));
  record.saga ? object.add("state", admin::name(admin::state_of(*record.saga, at)))
              : object.raw("state", "null");
  told.next_at ? object.add("nextAt", to_rfc3339(*told.next_at)) : object.raw("nextAt", "null");
  object.end();
  return json_reply(200, std::move(body));
}

}  // namespace

void add_explain_route(Router& router, const ApiParts& parts) {
  router.add("GET", "/api/orders/{id}/explain", [&parts](Call& call) { return explain(parts, call); });
}

}  // namespace orderd::http
