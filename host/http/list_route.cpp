// GET /api/orders, from the read model. Its table is owned and filled by the projection plugin; this is the
// contract:
//
//   orders_read(order_id uuid primary key, version int, status smallint, payment_status smallint, customer_id
//   text,
//               members text,    -- body_members(): "customerId" to "metadata" as JSON members
//               payment text,    -- payment_json()
//               reason text,     -- reason_json(), "null" if there is none
//               created timestamptz, updated timestamptz)
//
// `attention` is the write side's: it comes and goes without an event, so no projection knows it.
//
// A list has a limit of time: a filter that few orders pass may have to look at all of them, and no client
// may keep the database busy with that.
//
// An id begins with the time it was made, so descending ids are newest first; an index (customer_id,
// order_id) helps. The cursor is the last id shown: orders that come later have higher ids and never shift
// what is still to be walked.
#include "http/query.h"
#include "http/routes.h"
#include "model/order_json.h"

namespace orderd::http {
namespace {

constexpr std::int64_t limit_max = 100, limit_default = 20;
constexpr char cursor_kind = 'o';
constexpr store::Statement limit_time{"limit_list", "set local statement_timeout = '1s'"};
constexpr const char* query_canceled = "57014";
/// An id is made before `created` is taken, on some host's clock; wide enough for both to differ by as much.
constexpr std::chrono::hours id_slack{1};

struct Filter {
  std::optional<Uuid> below;  // the cursor
  std::optional<Status> status;
  std::optional<std::string> customer_id;
  std::optional<Time> created_after, created_before;
  int limit = limit_default;
};

Uuid first_id_of(Time time) {
  Uuid id;
  const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(0, time.time_since_epoch().count()));
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  return id;
}

std::variant<Filter, Problem> read_filter(const Call& call) {
  Query query(call.request.query(),
              {"limit", "cursor", "status", "customerId", "createdAfter", "createdBefore"});
  Filter filter;
  filter.limit = static_cast<int>(query.integer("limit", {1, limit_max, limit_default}));
  if (const auto cursor = query.text("cursor")) {
    const auto text = read_cursor(cursor_kind, *cursor);
    filter.below = text ? Uuid::parse(*text) : std::nullopt;
    if (!filter.below) query.error("cursor", "is not a cursor of this list; take nextCursor as it was given");
  }
  if (const auto status = query.text("status")) {
    filter.status = parse_status(*status);
    if (!filter.status) query.error("status", "is no status of an order; PENDING is one");
  }
  filter.customer_id = query.text("customerId");
  if (filter.customer_id &&
      (filter.customer_id->empty() || filter.customer_id->size() > 4 * intake::text_characters_max))
    query.error("customerId",
                "must have 1 to " + std::to_string(intake::text_characters_max) + " characters");
  filter.created_after = query.time("createdAfter");
  filter.created_before = query.time("createdBefore");
  if (!query.errors().empty()) return Problem{Error::invalid_parameter, {}, query.errors(), {}};
  return filter;
}

/// One text per set of conditions, so that each is prepared once and planned for its own indexes.
struct Select {
  std::string sql =
      "select order_id, version, status, members, payment, reason, created, updated, "
      "(select attention from order_state where id = order_id) from orders_read";
  std::string key = "list_orders_";
  store::Args args;

  void where(const char* condition_before, const char* condition_after, char letter) {
    sql += (args.count() == 1 ? " where " : " and ");
    sql += condition_before + std::to_string(args.count()) + condition_after;
    key += letter;
  }
};

Select make_select(const Filter& filter) {
  Select select;
  if (filter.below) select.args.uuid(*filter.below), select.where("order_id < $", "::uuid", 'c');
  if (filter.customer_id)
    select.args.text(*filter.customer_id), select.where("customer_id = $", "::text", 'u');
  if (filter.status)
    select.args.int2(static_cast<std::int16_t>(*filter.status)), select.where("status = $", "::int2", 's');
  if (filter.created_after) {
    select.args.timestamptz(*filter.created_after), select.where("created > $", "::timestamptz", 'a');
    select.args.uuid(first_id_of(*filter.created_after - id_slack)),
        select.where("order_id >= $", "::uuid", 'A');
  }
  if (filter.created_before) {
    select.args.timestamptz(*filter.created_before), select.where("created < $", "::timestamptz", 'b');
    select.args.uuid(first_id_of(*filter.created_before + id_slack)),
        select.where("order_id < $", "::uuid", 'B');
  }
  select.args.int8(filter.limit + 1);  // one more tells whether there is a next page
  select.sql += " order by order_id desc limit $" + std::to_string(select.args.count()) + "::int8";
  return select;
}

OrderSnapshot snapshot_of(const store::Rows& rows, int row) {
  OrderSnapshot order;
  order.id = rows.uuid(row, 0);
  order.version = static_cast<std::int32_t>(rows.integer(row, 1));
  order.status = static_cast<Status>(rows.integer(row, 2));
  order.members = rows.bytes(row, 3);
  order.payment = rows.bytes(row, 4);
  if (!rows.is_null(row, 5)) order.reason = rows.bytes(row, 5);
  order.created = rows.time(row, 6);
  order.updated = rows.time(row, 7);
  if (!rows.is_null(row, 8)) order.attention = rows.bytes(row, 8);
  return order;
}

/// nullopt: it took too long.
std::optional<store::Rows> read_bounded(store::Connection& connection, const Select& select) {
  try {
    store::UnitOfWork work(connection);
    work.send(limit_time);
    work.send({select.key.c_str(), select.sql.c_str()}, select.args);
    auto results = work.commit();
    return std::move(results.back());
  } catch (const store::DbError& error) {
    if (error.sqlstate != query_canceled) throw;
    return std::nullopt;
  }
}

Answer list_orders(const ApiParts& parts, Call& call) {
  if (auto problem = authorize(call, Scope::orders_read)) return std::move(*problem);
  if (auto problem = refuse_other_than_json(call)) return std::move(*problem);
  auto read = read_filter(call);
  if (auto* problem = std::get_if<Problem>(&read)) return std::move(*problem);
  Filter& filter = std::get<Filter>(read);
  if (const auto only = bound_customer(call)) {
    if (filter.customer_id.value_or(*only) != *only)
      return json_reply(200, R"({"data":[],"nextCursor":null})");
    filter.customer_id = only;
  }

  const Select select = make_select(filter);
  auto connection = parts.pool.acquire();
  const auto found = read_bounded(*connection, select);
  if (!found) return Problem{Error::list_too_wide, {}, {}, {}};
  const store::Rows& rows = *found;
  const int shown = std::min(rows.size(), filter.limit);
  std::string body = "{\"data\":[";
  for (int i = 0; i < shown; ++i) {
    if (i > 0) body.push_back(',');
    body += order_json(snapshot_of(rows, i), nullptr);
  }
  body += "],\"nextCursor\":";
  body += rows.size() > shown ? '"' + make_cursor(cursor_kind, rows.uuid(shown - 1, 0).to_string()) + '"'
                              : "null";
  body += "}";
  return json_reply(200, std::move(body));
}

}  // namespace

void add_list_route(Router& router, const ApiParts& parts) {
  router.add("GET", "/api/orders", [&parts](Call& call) { return list_orders(parts, call); });
}

}  // namespace orderd::http
