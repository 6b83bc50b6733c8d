#include "admin/saga_list.h"

#include <charconv>

#include "model/json.h"

namespace orderd::admin {
namespace {

// The same conditions as SQL, about a saga `g(order_id, data)`; state_of() and money_at_risk() say the same.
#define STATE_OF                                                                                      \
  "case when g.data ? 'stuck' then 'STUCK' when g.data ->> 'mode' = '4' then 'FINISHED' "             \
  "when not g.data ? 'open' then 'RUNNING' when g.data #>> '{open,unknown}' = 'true' then 'UNKNOWN' " \
  "when g.data #>> '{open,phase}' = '1' then 'RUNNING' when g.data #>> '{open,phase}' = '3' then "    \
  "'PENDING' when (g.data #>> '{open,next}')::int8 + 2000 < $8::int8 then 'PARKED' else 'WAITING' end"
#define MONEY_AT_RISK                                                                                  \
  "greatest(0, case when (g.data #>> '{payment,captured}')::int8 > 0 then "                            \
  "(g.data #>> '{payment,captured}')::int8 - (g.data #>> '{payment,refunded}')::int8 else "            \
  "(g.data #>> '{payment,authorized}')::int8 - (g.data ->> 'voided')::int8 end - "                     \
  "coalesce((g.data #>> '{payment,settled}')::int8, 0), "                                              \
  "case when g.data #>> '{open,unknown}' = 'true' and not coalesce(g.data -> 'open' ? 'undo', false) " \
  "then (g.data #>> '{open,amount}')::int8 else 0 end)"
#define OF_STEP(member)                                                                           \
  "(select (d.body ->> 'text')::jsonb -> 'steps' -> (g.data #>> '{open,step}')::int ->> '" member \
  "' from saga_definitions d where d.digest = g.data ->> 'definition')"
// As saga::instance_of() has it.
#define INSTANCE                                                                                    \
  "(select coalesce(g.data -> 'instances' ->> o.slot, $9::jsonb ->> o.slot) from (select " OF_STEP( \
      "slot") " as slot) o)"
#define FITS                                                                 \
  "($1::uuid is null or g.order_id < $1) and ($2::text is null or " STATE_OF \
  " = $2) and ($3::text is null or " OF_STEP(                                \
      "name") " = $3) and ($4::text is null or " INSTANCE                    \
              " = $4) and ($5::text is null or g.data #>> '{stuck,code}' = $5)"

constexpr store::Statement list_live{"admin_list_live", "select g.order_id, 0::int8 from sagas g where " FITS
                                                        " and ($6::uuid is null or g.order_id > $6) "
                                                        "order by g.order_id limit $7::int8"};
constexpr store::Statement list_attention{
    "admin_list_attention",
    "select order_id, risk from (select g.order_id, " MONEY_AT_RISK
    " as risk from (select o.id as order_id, coalesce(s.data, j.data) as data from order_state o "
    "left join sagas s on s.order_id = o.id left join lateral (select data from saga_journal "
    "where order_id = o.id "
    "order by (data ->> 'version')::int4 desc, (data ->> 'seq')::int8 desc, at desc limit 1"
    ") j on s.order_id is null "
    "where o.attention is not null) g where g.data is not null and " FITS
    ") r where $6::uuid is null or (risk, order_id) < ($10::int8, $6) "
    "order by risk desc, order_id desc limit $7::int8"};

constexpr store::Statement by_reference{
    "admin_by_reference",
    "select order_id from (select order_id from sagas where data ->> 'reference' = $1 union "
    "select order_id from saga_journal where data ->> 'reference' = $1 and data ->> 'reference' <> '') f "
    "where $2::uuid is null or order_id < $2 order by order_id desc limit $3::int8"};
// The orders that were looked at: those that fit, and the last one, which says where to go on.
#define LOOK(fits)                                                                                      \
  "select id, fits, n = seen and seen = $1::int8 from (select id, coalesce(" fits                       \
  ", false) as fits, row_number() over (order by id desc) as n, count(*) over () as seen from (select " \
  "id, body from orders where $2::uuid is null or id < $2 order by id desc limit $1::int8) o) f "       \
  "where fits or n = seen order by id desc"
constexpr store::Statement by_sku{"admin_by_sku", LOOK("body -> 'items' @> $3::jsonb")};
constexpr store::Statement by_metadata{"admin_by_metadata",
                                       LOOK("body -> 'metadata' ->> $3::text = $4::text")};

Uuid first_id_of(Time time) {
  Uuid id;
  const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(0, time.time_since_epoch().count()));
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  return id;
}

void optional_text(store::Args& args, const std::optional<std::string>& text) {
  text ? args.text(*text) : args.null();
}
void optional_uuid(store::Args& args, const std::optional<Uuid>& id) { id ? args.uuid(*id) : args.null(); }

/// "<money at risk>:<id>"; false: it is something else.
bool read_place(const std::string& text, std::int64_t& risk, std::optional<Uuid>& id) {
  if (text.empty()) return true;
  const auto colon = text.find(':');
  if (colon == text.npos) return false;
  const auto parsed = std::from_chars(text.data(), text.data() + colon, risk);
  id = Uuid::parse(std::string_view(text).substr(colon + 1));
  return parsed.ec == std::errc() && parsed.ptr == text.data() + colon && id.has_value();
}

std::string standard_instances(const Slots& slots) {
  std::string out;
  json::Object object(out);
  for (const auto& [slot, info] : slots) object.add(slot, info.instance);
  object.end();
  return out;
}

store::Rows look(store::Connection& connection, const SagaSearch& search, const std::optional<Uuid>& below) {
  store::Args args;
  optional_uuid(args.int8(orders_per_look), below);
  if (search.metadata)
    return connection.run(by_metadata,
                          std::move(args.text(search.metadata->first).text(search.metadata->second)));
  std::string item;
  json::Object object(item);
  object.add("sku", *search.sku).end();
  return connection.run(by_sku, std::move(args.jsonb("[" + item + "]")));
}

}  // namespace

std::optional<Page> list_sagas(store::Connection& connection, const SagaFilter& filter, const Slots& slots,
                               const std::string& after, int limit) {
  const bool by_money = filter.attention || filter.state == State::stuck;
  std::int64_t risk = 0;
  std::optional<Uuid> place;
  if (!read_place(after, risk, place)) return std::nullopt;
  store::Args args;
  optional_uuid(args,
                filter.placed_before ? std::optional(first_id_of(*filter.placed_before)) : std::nullopt);
  filter.state ? args.text(name(*filter.state)) : args.null();
  optional_text(args, filter.step);
  optional_text(args, filter.plugin);
  optional_text(args, filter.code);
  optional_uuid(args, place);
  args.int8(limit + 1).int8(now().time_since_epoch().count()).jsonb(standard_instances(slots));
  if (by_money) args.int8(risk);
  const auto rows = connection.run(by_money ? list_attention : list_live, std::move(args));
  Page page;
  for (int i = 0; i < std::min(rows.size(), limit); ++i) page.order_ids.push_back(rows.uuid(i, 0));
  if (rows.size() > limit)
    page.next = std::to_string(rows.integer(limit - 1, 1)) + ":" + page.order_ids.back().to_string();
  return page;
}

std::optional<Page> search_sagas(store::Connection& connection, const SagaSearch& search,
                                 const std::string& after, int limit) {
  const auto below = Uuid::parse(after);
  if (!after.empty() && !below) return std::nullopt;
  Page page;
  if (search.reference) {
    store::Args args;
    optional_uuid(args.text(*search.reference), below);
    const auto rows = connection.run(by_reference, std::move(args.int8(limit + 1)));
    for (int i = 0; i < std::min(rows.size(), limit); ++i) page.order_ids.push_back(rows.uuid(i, 0));
    if (rows.size() > limit) page.next = page.order_ids.back().to_string();
    return page;
  }
  const auto rows = look(connection, search, below);
  for (int i = 0; i < rows.size(); ++i) {
    const bool more_to_read = rows.boolean(i, 2);
    if (rows.boolean(i, 1) && static_cast<int>(page.order_ids.size()) == limit) {
      page.next = page.order_ids.back().to_string();
      return page;
    }
    if (rows.boolean(i, 1)) page.order_ids.push_back(rows.uuid(i, 0));
    if (more_to_read) page.next = rows.uuid(i, 0).to_string();
  }
  return page;
}

}  // namespace orderd::admin
