// GET /api/orders/{id}/explain: one paragraph about one order. A tracking token does not open it: it opens
// the order and its stream only.
#include "admin/order_view.h"
#include "http/routes.h"

namespace orderd::http {
namespace {

Answer explain(const ApiParts& parts, Call& call) {
  if (auto problem = authorize(call, Scope::orders_read)) return std::move(*problem);
  if (auto problem = refuse_other_than_json(call)) return std::move(*problem);
  if (auto problem = refuse_other_parameters(call)) return std::move(*problem);
  const auto id = Uuid::parse(call.params.at(0));
  if (!id) return Problem{Error::order_not_found, {}, {}, {}};
  auto connection = parts.pool.acquire();
  const auto view = admin::view_order(*connection, *id, parts.admin.slots);
  if (!view || !may_see(call, view->past.events.front())) return Problem{Error::order_not_found, {}, {}, {}};
  const Time at = now();
  const auto told = admin::explain(view->record, view->situation, parts.admin.slots, at);
  return json_reply(200, admin::explanation_json(*id, *view, told, at));
}

}  // namespace

void add_explain_route(Router& router, const ApiParts& parts) {
  router.add("GET", "/api/orders/{id}/explain", [&parts](Call& call) { return explain(parts, call); });
}

}  // namespace orderd::http
