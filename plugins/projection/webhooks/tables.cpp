#include "tables.h"

#include <cstring>
#include <map>

#include "standard.h"

namespace merchant_webhooks {

// deliveries.state: 0 waits, 1 delivered, 2 given up.
const char* const tables_sql = R"(
create schema if not exists merchant_webhooks;
create table merchant_webhooks.endpoints (
  endpoint text primary key,
  url text not null default '',
  since timestamptz not null,
  failing_since timestamptz,
  disabled_at timestamptz,
  disabled_reason text not null default '',
  replayed text[] not null default '{}'
);
create table merchant_webhooks.progress (
  endpoint text not null,
  order_id uuid not null,
  version int not null,
  primary key (endpoint, order_id)
);
create table merchant_webhooks.progress_shadow (like merchant_webhooks.progress including all);
create table merchant_webhooks.deliveries (
  id bigint generated always as identity primary key,
  endpoint text not null,
  order_id uuid not null,
  version int not null,
  type text not null,
  body text not null,
  created timestamptz not null,
  state smallint not null default 0,
  attempts int not null default 0,
  next_at timestamptz not null default now(),
  last_status int,
  last_error text,
  delivered_at timestamptz,
  unique (endpoint, order_id, version)
);
create index on merchant_webhooks.deliveries (endpoint, next_at) where state = 0;
create index on merchant_webhooks.deliveries (endpoint, created);
create table merchant_webhooks.attempts (
  delivery bigint not null references merchant_webhooks.deliveries on delete cascade,
  at timestamptz not null default now(),
  attempt int not null,
  status int,
  elapsed_ms int not null,
  error text not null
);
create index on merchant_webhooks.attempts (delivery);
)";

const char* const seen_sql =
    "alter table merchant_webhooks.endpoints add column seen_at timestamptz not null default now()";

namespace {

using orderd::sdk::Params;
using orderd::sdk::Result;

constexpr const char* know_endpoint =
    "insert into merchant_webhooks.endpoints (endpoint, since) values ($1, $2) on conflict do nothing";
constexpr const char* add_deliveries =
    "insert into merchant_webhooks.deliveries (endpoint, order_id, version, type, body, created) "
    "select $1, o, v, t, b, a from unnest($2::uuid[], $3::int4[], $4::text[], $5::text[], $6::timestamptz[]) "
    "u(o, v, t, b, a) where a >= (select since from merchant_webhooks.endpoints where endpoint = $1) "
    "on conflict do nothing";

struct Statements {
  const char *read, *write;
};
#define MERCHANT_WEBHOOKS_PROGRESS(table)                                                             \
  {                                                                                                   \
    "select order_id, version from " table " where endpoint = $1 and order_id = any($2::uuid[])",     \
        "insert into " table                                                                          \
        " (endpoint, order_id, version) select $1, o, v from unnest($2::uuid[], $3::int4[]) u(o, v) " \
        "on conflict (endpoint, order_id) do update set version = excluded.version"                   \
  }
constexpr Statements live MERCHANT_WEBHOOKS_PROGRESS("merchant_webhooks.progress");
constexpr Statements shadow MERCHANT_WEBHOOKS_PROGRESS("merchant_webhooks.progress_shadow");

struct Less {
  bool operator()(const orderd_uuid& a, const orderd_uuid& b) const {
    return std::memcmp(a.bytes, b.bytes, sizeof a.bytes) < 0;
  }
};
using Versions = std::map<orderd_uuid, std::int32_t, Less>;

void deliver(Transaction& tx, const Endpoint& endpoint, const std::vector<EventView>& fresh) {
  std::vector<orderd_uuid> orders;
  std::vector<std::int32_t> versions;
  std::vector<std::string> types, bodies;
  std::vector<std::int64_t> at;
  for (const EventView& event : fresh) {
    std::string type = type_of(event.type());
    if (!endpoint.types.empty() && !endpoint.types.contains(type)) continue;
    orders.push_back(event.order_id());
    versions.push_back(event.version());
    types.push_back(std::move(type));
    bodies.push_back(body_of(event));
    at.push_back(event.at_ms());
  }
  tx.exec(know_endpoint, Params().text(endpoint.name).timestamptz(endpoint.since_ms));
  if (orders.empty()) return;
  tx.exec(
      add_deliveries,
      Params().text(endpoint.name).uuids(orders).int4s(versions).texts(types).texts(bodies).timestamptzs(at));
}

}  // namespace

std::vector<Verdict> take(Transaction& tx, Target target, const Endpoint& endpoint,
                          const std::vector<EventView>& events) {
  const Statements& sql = target == Target::live ? live : shadow;
  Versions have, reached;
  for (const EventView& event : events) have[event.order_id()] = 0;
  std::vector<orderd_uuid> ids;
  for (const auto& [id, version] : have) ids.push_back(id);
  const Result rows = tx.exec(sql.read, Params().text(endpoint.name).uuids(ids));
  for (std::size_t i = 0; i < rows.rows(); ++i)
    have[rows.uuid(i, 0)] = static_cast<std::int32_t>(rows.integer(i, 1));

  std::vector<Verdict> verdicts;
  std::vector<EventView> fresh;
  for (const EventView& event : events) {
    std::int32_t& version = have[event.order_id()];
    verdicts.push_back(event.version() <= version       ? Verdict::duplicate
                       : event.version() == version + 1 ? Verdict::applied
                                                        : Verdict::gap);
    if (verdicts.back() != Verdict::applied) continue;
    reached[event.order_id()] = version = event.version();
    fresh.push_back(event);
  }
  if (fresh.empty()) return verdicts;
  ids.clear();
  std::vector<std::int32_t> versions;
  for (const auto& [id, version] : reached) {
    ids.push_back(id);
    versions.push_back(version);
  }
  tx.exec(sql.write, Params().text(endpoint.name).uuids(ids).int4s(versions));
  if (target == Target::live) deliver(tx, endpoint, fresh);
  return verdicts;
}

void begin_rebuild(Transaction& tx, const std::string& endpoint) {
  tx.exec("delete from merchant_webhooks.progress_shadow where endpoint = $1", Params().text(endpoint));
}

void finish_rebuild(Transaction& tx, const std::string& endpoint) {
  tx.exec("delete from merchant_webhooks.progress where endpoint = $1", Params().text(endpoint));
  tx.exec(
      "with moved as (delete from merchant_webhooks.progress_shadow where endpoint = $1 returning *) "
      "insert into merchant_webhooks.progress select * from moved",
      Params().text(endpoint));
}

}  // namespace merchant_webhooks
