#include "saga/storage/postgres.h"

#include <algorithm>

#include "base/fault.h"
#include "base/log.h"
#include "model/order_json.h"
#include "saga/storage/forgotten.h"
#include "saga/storage/postgres_work.h"

namespace orderd::saga {
namespace {

constexpr store::Statement load_sagas{"load_sagas",
                                      "select s.data, e.payload, e.traceparent from sagas s join "
                                      "order_events e on e.order_id = s.order_id and e.version = 1 "
                                      "where s.shard = any($1::int2[])"};
constexpr store::Statement load_some{"load_sagas_of",
                                     "select s.data, e.payload, e.traceparent from sagas s join "
                                     "order_events e on e.order_id = s.order_id and e.version = 1 "
                                     "where s.order_id = any($1::uuid[])"};
// An order's beginning and its cancellations.
constexpr store::Statement orders_now{
    "orders_now",
    "select s.id, s.status, s.version, s.shard, e.version, e.type, e.at, e.payload, e.traceparent "
    "from unnest($1::uuid[]) u(id) join order_state s on s.id = u.id join order_events e "
    "on e.order_id = u.id and (e.version = 1 or e.type = $2::int2) order by e.order_id, e.version"};
// The last by what the saga did: the clocks that stamped two of them may be two.
constexpr store::Statement last_journals{
    "last_journals",
    "select u.id, j.data from unnest($1::uuid[]) u(id), lateral (select data from saga_journal "
    "where order_id = u.id "
    "order by (data ->> 'version')::int4 desc, (data ->> 'seq')::int8 desc, at desc limit 1"
    ") j"};
constexpr store::Statement read_secrets{
    "read_secrets", "select order_id, sealed from payment_secrets where order_id = any($1::uuid[])"};
constexpr store::Statement insert_definition{
    "insert_definition",
    "insert into saga_definitions (digest, name, body) values ($1, $2, $3) on conflict do nothing"};
constexpr store::Statement read_saga_inbox{
    "read_saga_inbox",
    "(select id, order_id, shard, kind, data from saga_inbox where shard = any($1::int2[]) and at <= now() "
    "and id > $3 and id <= $2 order by id limit $4) union all "
    "(select id, order_id, shard, kind, data from saga_inbox where shard = any($1::int2[]) and at <= now() "
    "and id > $2 order by id limit $4) order by id"};
constexpr store::Statement read_switches{"read_switches", "select name from switches"};
constexpr store::Statement report_plugins{
    "report_plugins",
    "insert into plugin_status (host, instance, breaker, parked, since, seen) "
    "select $1, *, now() from unnest($2::text[], $3::text[], $4::int4[], $5::timestamptz[]) "
    "on conflict (host, instance) do update set breaker = excluded.breaker, parked = excluded.parked, "
    "since = excluded.since, seen = excluded.seen"};
// Hosts that are gone.
constexpr store::Statement forget_plugins{"forget_plugins",
                                          "delete from plugin_status where seen < now() - interval '1 day'"};
constexpr store::Statement read_definition{
    "read_definition", "select body #>> '{text}' from saga_definitions where digest = $1"};

}  // namespace

StoreError translate(const store::DbError& error) {
  using Kind = StoreError::Kind;
  if (error.connection_lost || error.sqlstate == store::sqlstate_stale_owner)
    return {Kind::lost, error.what()};
  if (error.sqlstate == store::sqlstate_version_conflict) return {Kind::conflict, error.what()};
  switch (store::trouble_of(error.sqlstate)) {
    case store::Trouble::session:
      return {Kind::lost, error.what()};
    case store::Trouble::passing:
      return {fault::mutation("passing_error_parks") ? Kind::refused : Kind::blocked, error.what()};
    case store::Trouble::permanent:
      break;
  }
  return {Kind::refused, error.what()};
}

namespace {
template <typename Call>
auto guarded(Call call) {
  try {
    return call();
  } catch (const store::DbError& error) { throw translate(error); }
}

std::vector<LiveSaga> live_sagas(const store::Rows& rows) {
  std::vector<LiveSaga> out;
  for (int i = 0; i < rows.size(); ++i) {
    auto saga = from_json(rows.jsonb(i, 0));
    auto body = read_body(rows.bytes(i, 1));
    if (saga && body)
      out.push_back({std::move(*saga), std::move(*body), std::string(rows.bytes(i, 2))});
    else
      log_error("saga", "a stored saga cannot be read and is left alone",
                {{"data", std::string(rows.jsonb(i, 0).substr(0, 80))}});
  }
  return out;
}
}  // namespace

store::Connection& PgStore::connection() {
  if (!connection_ || !connection_->usable()) {
    connection_.reset();
    connection_ = std::make_unique<store::Connection>(options_);
  }
  return *connection_;
}

Ownership PgStore::maintain() {
  return guarded([&] {
    const auto change = leases_.maintain(connection());
    letters_.count(connection(), leases_.consumer());
    Ownership out;
    out.lost = change.lost;
    for (const std::int16_t shard : change.gained) out.gained[shard] = leases_.held().at(shard).pos;
    return out;
  });
}

void PgStore::release_all() {
  guarded([&] { leases_.release_all(connection()); });
}

void PgStore::forget() {
  leases_.forget();
  connection_.reset();
}

std::vector<LiveSaga> PgStore::load(const std::vector<std::int16_t>& shards) {
  return guarded([&] { return live_sagas(connection().run(load_sagas, store::Args().int2s(shards))); });
}

std::vector<LiveSaga> PgStore::load_orders(const std::vector<Uuid>& order_ids) {
  return guarded([&] { return live_sagas(connection().run(load_some, store::Args().uuids(order_ids))); });
}

std::map<Uuid, OrderNow> PgStore::look_up(const std::vector<Uuid>& order_ids) {
  return guarded([&] {
    constexpr auto cancel_type = static_cast<std::int16_t>(EventType::order_cancel_requested);
    connection().send(orders_now, store::Args().uuids(order_ids).int2(cancel_type));
    connection().send(last_journals, store::Args().uuids(order_ids));
    const std::vector<store::Rows> results = connection().flush();
    std::map<Uuid, OrderNow> out;
    const store::Rows& rows = results[0];
    for (int i = 0; i < rows.size(); ++i) {
      OrderNow& now = out[rows.uuid(i, 0)];
      now.status = static_cast<Status>(rows.integer(i, 1));
      now.version = static_cast<std::int32_t>(rows.integer(i, 2));
      now.shard = static_cast<std::int16_t>(rows.integer(i, 3));
      Event event{rows.uuid(i, 0),
                  static_cast<std::int32_t>(rows.integer(i, 4)),
                  static_cast<EventType>(rows.integer(i, 5)),
                  rows.time(i, 6),
                  std::string(rows.bytes(i, 7)),
                  std::string(rows.bytes(i, 8))};
      if (event.version == 1) {
        if (auto body = read_body(event.payload)) now.body = std::move(*body);
        now.traceparent = event.traceparent;
        continue;
      }
      const auto head = read_head(event);
      now.cancel_version = event.version;
      now.cancel_at = event.at;
      if (head && head->reason) now.cancel_reason = *head->reason;
    }
    const store::Rows& journals = results[1];
    for (int i = 0; i < journals.size(); ++i)
      if (const auto found = out.find(journals.uuid(i, 0)); found != out.end())
        found->second.finished = from_json(journals.jsonb(i, 1));
    return out;
  });
}

std::map<Uuid, std::optional<std::string>> PgStore::secrets(const std::vector<Uuid>& order_ids) {
  try {
    std::map<Uuid, std::optional<std::string>> out;
    const auto rows = connection().run(read_secrets, store::Args().uuids(order_ids));
    for (int i = 0; i < rows.size(); ++i) {
      const Uuid id = rows.uuid(i, 0);
      out[id] = box_.open(rows.bytes(i, 1), id);
    }
    return out;
  } catch (const store::DbError& error) {
    // Intents are committed by now: whatever went wrong, they must be taken up again as after a crash.
    throw StoreError(StoreError::Kind::lost, error.what());
  }
}

void PgStore::save_definition(const std::string& digest, const std::string& name, const std::string& text) {
  guarded([&] {
    std::string body;
    json::Object object(body);
    object.add("text", text).end();
    connection().run(insert_definition, store::Args().text(digest).text(name).jsonb(body));
  });
}

std::optional<std::string> PgStore::definition(const std::string& digest) {
  return guarded([&]() -> std::optional<std::string> {
    const auto rows = connection().run(read_definition, store::Args().text(digest));
    if (rows.empty()) return std::nullopt;
    return std::string(rows.bytes(0, 0));
  });
}

std::vector<InboxItem> PgStore::inbox(const std::set<std::int16_t>& shards, const InboxPlace& place,
                                      std::size_t limit) {
  return guarded([&] {
    const std::vector<std::int16_t> wanted(shards.begin(), shards.end());
    const auto rows = connection().run(read_saga_inbox, store::Args()
                                                            .int2s(wanted)
                                                            .int8(place.settled)
                                                            .int8(place.swept)
                                                            .int8(static_cast<std::int64_t>(limit)));
    std::vector<InboxItem> out;
    for (int i = 0; i < rows.size(); ++i)
      out.push_back({rows.integer(i, 0), rows.uuid(i, 1), static_cast<std::int16_t>(rows.integer(i, 2)),
                     static_cast<std::int16_t>(rows.integer(i, 3)), std::string(rows.jsonb(i, 4))});
    return out;
  });
}

std::set<std::string> PgStore::switches() {
  return guarded([&] {
    const auto rows = connection().run(read_switches);
    std::set<std::string> out;
    for (int i = 0; i < rows.size(); ++i) out.emplace(rows.bytes(i, 0));
    return out;
  });
}

std::vector<Forgotten> PgStore::forgotten(const std::set<std::int16_t>& shards, ForgottenCursor& cursor) {
  return guarded([&] { return find_forgotten(connection(), leases_.consumer(), shards, cursor); });
}

void PgStore::report(const std::vector<PluginStatus>& plugins) {
  guarded([&] {
    std::vector<std::string> instances, breakers;
    std::vector<std::int32_t> parked;
    std::vector<Time> since;
    for (const PluginStatus& plugin : plugins) {
      instances.push_back(plugin.instance);
      breakers.push_back(plugin.breaker);
      parked.push_back(plugin.parked);
      since.push_back(plugin.since);
    }
    connection().send(
        report_plugins,
        store::Args().uuid(host_).texts(instances).texts(breakers).int4s(parked).timestamptzs(since));
    connection().send(forget_plugins);
    connection().flush();
  });
}

std::unique_ptr<Store::Work> PgStore::begin(const std::map<std::int16_t, std::int64_t>& positions) {
  return guarded([&] { return std::make_unique<PgWork>(connection(), leases_, positions); });
}

}  // namespace orderd::saga
