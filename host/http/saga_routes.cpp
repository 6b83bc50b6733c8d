// GET /api/admin/sagas, …/search and …/{orderId}: what is under way, and what needs a person.
#include "admin/order_view.h"
#include "http/operator.h"
#include "http/routes.h"

namespace orderd::http {
namespace {

constexpr std::int64_t limit_max = 100, limit_default = 20;
constexpr std::int64_t age_max_s = 10LL * 365 * 86'400;
constexpr char list_cursor = 's', search_cursor = 'f';
constexpr std::string_view metadata_prefix = "metadata.";

Answer show(const ApiParts& parts, store::Connection& connection, const std::optional<admin::Page>& page,
            char cursor_kind) {
  if (!page)
    return Problem{Error::invalid_parameter,
                   {},
                   {{"/cursor", "is not a cursor of this list; take nextCursor as it was given"}},
                   {}};
  const auto records = admin::records(connection, page->order_ids);
  const Time at = now();
  std::string body = "{\"data\":[";
  for (const Uuid& id : page->order_ids) {
    const auto record = records.find(id);
    if (record == records.end()) continue;
    if (body.back() != '[') body.push_back(',');
    body += admin::summary_json(id, record->second, parts.admin.slots, at);
  }
  body += "],\"nextCursor\":";
  body += page->next.empty() ? "null" : '"' + make_cursor(cursor_kind, page->next) + '"';
  return json_reply(200, body + "}");
}

/// What stands in the cursor; "" without one. One that is none goes to the query's errors.
std::string place_in(Query& query, char kind) {
  const auto cursor = query.text("cursor");
  if (!cursor) return "";
  const auto place = read_cursor(kind, *cursor);
  if (!place || place->empty())
    query.error("cursor", "is not a cursor of this list; take nextCursor as it was given");
  return place.value_or("");
}

Answer list(const ApiParts& parts, Call& call) {
  if (auto problem = authorize(call, Scope::ops_read)) return std::move(*problem);
  if (auto problem = refuse_other_than_json(call)) return std::move(*problem);
  Query query(call.request.query(),
              {"limit", "cursor", "state", "step", "plugin", "code", "attention", "olderThanSeconds"});
  const auto limit = static_cast<int>(query.integer("limit", {1, limit_max, limit_default}));
  FilterText text{query.text("state"), query.text("step"), query.text("plugin"), query.text("code")};
  if (const auto attention = query.text("attention")) {
    text.attention = *attention == "true";
    if (!text.attention) query.error("attention", "must be true, or not be there");
  }
  text.older_than_s = query.integer("olderThanSeconds", {0, age_max_s, 0});
  const auto filter = filter_of(text, parts.admin, [&](const char* name, std::string message) {
    query.error(name, std::move(message));
  });
  const std::string place = place_in(query, list_cursor);
  if (!query.errors().empty()) return Problem{Error::invalid_parameter, {}, query.errors(), {}};
  auto connection = parts.pool.acquire();
  return show(parts, *connection, admin::list_sagas(*connection, filter, parts.admin.slots, place, limit),
              list_cursor);
}

/// "metadata.cart" if the query has a parameter of that kind.
std::string metadata_parameter(std::string_view query) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto name = percent_decode(query.substr(0, end).substr(0, query.substr(0, end).find('=')));
    if (name && name->size() > metadata_prefix.size() && name->rfind(metadata_prefix, 0) == 0) return *name;
    query = end == query.npos ? std::string_view() : query.substr(end + 1);
  }
  return "";
}

Answer search(const ApiParts& parts, Call& call) {
  if (auto problem = authorize(call, Scope::ops_read)) return std::move(*problem);
  if (auto problem = refuse_other_than_json(call)) return std::move(*problem);
  const std::string metadata = metadata_parameter(call.request.query());
  Query query(call.request.query(), {"limit", "cursor", "providerReference", "sku",
                                     metadata.empty() ? std::string_view("sku") : metadata});
  const auto limit = static_cast<int>(query.integer("limit", {1, limit_max, limit_default}));
  admin::SagaSearch wanted{query.text("providerReference"), query.text("sku"), {}};
  if (const auto value = metadata.empty() ? std::nullopt : query.text(metadata))
    wanted.metadata = {metadata.substr(metadata_prefix.size()), *value};
  const int given = wanted.reference.has_value() + wanted.sku.has_value() + wanted.metadata.has_value();
  if (given != 1 && query.errors().empty())
    query.error("", "exactly one of providerReference, sku and metadata.KEY is needed");
  if (wanted.reference && wanted.reference->empty()) query.error("providerReference", "must not be empty");
  const std::string place = place_in(query, search_cursor);
  if (!query.errors().empty()) return Problem{Error::invalid_parameter, {}, query.errors(), {}};
  auto connection = parts.pool.acquire();
  return show(parts, *connection, admin::search_sagas(*connection, wanted, place, limit), search_cursor);
}

Answer one(const ApiParts& parts, Call& call) {
  if (auto problem = authorize(call, Scope::ops_read)) return std::move(*problem);
  if (auto problem = refuse_other_than_json(call)) return std::move(*problem);
  const auto id = Uuid::parse(call.params.at(0));
  if (!id) return Problem{Error::order_not_found, {}, {}, {}};
  auto connection = parts.pool.acquire();
  const auto view = admin::view_order(*connection, *id, parts.admin.slots);
  if (!view) return Problem{Error::order_not_found, {}, {}, {}};
  return json_reply(200, admin::detail_json(*id, view->record, view->past, parts.admin.slots, now()));
}

}  // namespace

void add_saga_routes(Router& router, const ApiParts& parts) {
  router.add("GET", "/api/admin/sagas", [&parts](Call& call) { return list(parts, call); });
  router.add("GET", "/api/admin/sagas/search", [&parts](Call& call) { return search(parts, call); });
  router.add("GET", "/api/admin/sagas/{orderId}", [&parts](Call& call) { return one(parts, call); });
}

}  // namespace orderd::http
