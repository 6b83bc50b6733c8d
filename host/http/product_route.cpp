// GET /api/products: what can be ordered, as the inventory plugin knows it.
#include "http/query.h"
#include "http/routes.h"
#include "model/json.h"

namespace orderd::http {
namespace {

constexpr std::int64_t limit_max = 100, limit_default = 20;
constexpr char cursor_kind = 'p';

Answer list_products(const ApiParts& parts, Call& call) {
  if (auto problem = authorize(call, Scope::orders_read)) return std::move(*problem);
  if (auto problem = refuse_other_than_json(call)) return std::move(*problem);
  Query query(call.request.query(), {"limit", "cursor", "search"});
  ProductQuery wanted;
  wanted.limit = static_cast<int>(query.integer("limit", {1, limit_max, limit_default}));
  if (const auto cursor = query.text("cursor")) {
    const auto after = read_cursor(cursor_kind, *cursor);
    if (after)
      wanted.after = *after;
    else
      query.error("cursor", "is not a cursor of this list; take nextCursor as it was given");
  }
  wanted.search = query.text("search").value_or("");
  if (!query.errors().empty()) return Problem{Error::invalid_parameter, {}, query.errors(), {}};

  const ProductPage page = parts.products(wanted);
  std::string body;
  json::Object object(body);
  object.raw("data", page.data_json);
  if (page.last.empty())
    object.raw("nextCursor", "null");
  else
    object.add("nextCursor", make_cursor(cursor_kind, page.last));
  object.end();
  return json_reply(200, std::move(body));
}

}  // namespace

void add_product_route(Router& router, const ApiParts& parts) {
  router.add("GET", "/api/products", [&parts](Call& call) { return list_products(parts, call); });
}

}  // namespace orderd::http
