// Verbs that only read the database: what is under way, what waits for a person.
#include "orderctl/verbs.h"
#include "wiring.h"

namespace orderd::ctl {
namespace {

store::Report read(Context& context, const std::string& sql) {
  context.settings();
  context.become_service_user();
  return store::read_report(database(context.settings()), sql);
}

// Statuses are named in the newest event's payload; the numbers of order_state are the program's own.
constexpr const char* orders_sql =
    "select s.id::text as order_id, o.created::text as created, s.version::text as version, "
    "coalesce(convert_from(e.payload, 'UTF8')::jsonb ->> 'status', '') as status, "
    "coalesce(s.attention, '') as attention from (select * from orders order by id desc limit 100) o "
    "join order_state s using (id) join order_events e on e.order_id = s.id and e.version = s.version "
    "order by o.id desc";
constexpr const char* sagas_sql =
    "select g.order_id::text as order_id, g.data ->> 'status' as status, "
    "coalesce(g.data #>> '{open,action}', '') as doing, coalesce(g.data #>> '{open,attempt}', '') as "
    "attempt, "
    "coalesce(g.wake::text, '') as wakes, coalesce(g.data #>> '{stuck,code}', '') as stuck, "
    "coalesce(g.data #>> '{stuck,message}', '') as why from sagas g "
    "order by g.data -> 'stuck' is null, g.order_id limit 1000";
constexpr const char* parked_sql =
    "select consumer, order_id::text as order_id, from_version::text as version, at::text, reason from "
    "parked "
    "order by at limit 1000";
constexpr const char* outbox_sql =
    // Readers of Kafka count in its offsets: how far they are behind, Kafka's own tools and /metrics say.
    "select p.consumer, p.shard::text as shard, "
    "case when p.pos < -1 then 'log ' || p.pos + (1::int8 << 62) else p.pos::text end as position, "
    "case when offsets then '' else l.last::text end as last, "
    "case when offsets then '' else (l.last - greatest(p.pos, 0))::text end as lag, coalesce(p.owner::text, "
    "'') as owner, "
    "case when p.lease_until = '-infinity' then '' else p.lease_until::text end as lease_until "
    "from positions p join log_shard l using (shard), "
    "lateral (select p.consumer like '%@kafka' and p.consumer <> 'relay@kafka' as offsets) o "
    "order by p.consumer, p.shard";

int orders(Context& context, const Words& words) {
  expect_no_words(words);
  return context.print(read(context, orders_sql)), 0;
}

int sagas(Context& context, const Words& words) {
  expect_no_words(words);
  return context.print(stuck_and_live_sagas(context)), 0;
}

int parked(Context& context, const Words& words) {
  expect_no_words(words);
  return context.print(parked_events(context)), 0;
}

int outbox(Context& context, const Words& words) {
  expect_no_words(words);
  return context.print(outbox_positions(context)), 0;
}

int plugins(Context& context, const Words& words) {
  expect_no_words(words);
  return context.print(loaded_plugins(context)), 0;
}

}  // namespace

store::Report stuck_and_live_sagas(Context& context) { return read(context, sagas_sql); }
store::Report parked_events(Context& context) { return read(context, parked_sql); }
store::Report outbox_positions(Context& context) { return read(context, outbox_sql); }

store::Report loaded_plugins(Context& context) {
  store::Report report{{"instance", "plugin", "version", "vendor", "library", "digest", "offers"}, {}};
  for (const auto& one : context.registry().infos()) {
    std::string offers;
    for (const auto& id : one.extensions) offers += (offers.empty() ? "" : " ") + id;
    report.rows.push_back(
        {one.instance, one.plugin, one.version, one.vendor, one.library, one.digest, offers});
  }
  return report;
}

std::vector<Verb> report_verbs() {
  return {
      {"orders", "", "the newest hundred orders", orders},
      {"sagas", "", "orders that are not at their end, stuck ones first", sagas},
      {"parked", "", "events that a consumer could not take, and why", parked},
      {"outbox", "", "each consumer's place in each shard of the log, and who holds it", outbox},
      {"plugins", "", "the configured plugins, loaded", plugins},
  };
}

}  // namespace orderd::ctl
