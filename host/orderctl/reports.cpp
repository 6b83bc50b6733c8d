// Verbs that only read the database: what is under way, what waits for a person.
#include "app/wiring.h"
#include "orderctl/given.h"

namespace orderd::ctl {
namespace {

store::Report read(Context& context, const std::string& sql, std::set<std::string> numbers) {
  context.settings();
  context.become_service_user();
  auto report = store::read_report(database(context.settings()), sql);
  report.numbers = std::move(numbers);
  return report;
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
  return context.print(read(context, orders_sql, {"version"})), 0;
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

// An order's rows have its id as their subject, a plugin's "plugin:<instance>".
constexpr store::Statement read_audit{
    "orderctl_audit",
    "select id, at, actor, verb, subject, coalesce(reason, ''), data::text from (select * from audit_log "
    "where "
    "($1 = '' or subject = $1) and ($2 = '' or actor = $2) order by id desc limit $3) newest order by id"};

int audit(Context& context, const Words& words) {
  constexpr std::int64_t limit_default = 100, limit_max = 10'000;
  const Given given(words, {"--by", "--limit"});
  if (given.words.size() > 1) throw UsageError("audit takes one SUBJECT, or none");
  const auto text = given.option("--limit");
  const std::int64_t limit = text ? number(*text, "--limit") : limit_default;
  if (limit < 1 || limit > limit_max) throw UsageError("--limit is from 1 to " + std::to_string(limit_max));
  store::Report report{{"id", "at", "by", "verb", "subject", "reason", "data"}, {}, {"id"}};
  const auto rows = context.connection().run(read_audit, store::Args()
                                                             .text(given.words.empty() ? "" : given.words[0])
                                                             .text(given.option("--by").value_or(""))
                                                             .int8(limit));
  for (int i = 0; i < rows.size(); ++i) {
    const auto column = [&](int at) { return std::string(rows.bytes(i, at)); };
    report.rows.push_back({std::to_string(rows.integer(i, 0)), to_rfc3339(rows.time(i, 1)), column(2),
                           column(3), column(4), column(5), column(6)});
  }
  return context.print(report), 0;
}

}  // namespace

store::Report stuck_and_live_sagas(Context& context) { return read(context, sagas_sql, {"attempt"}); }
store::Report parked_events(Context& context) { return read(context, parked_sql, {"version"}); }
store::Report outbox_positions(Context& context) {
  return read(context, outbox_sql, {"shard", "position", "last", "lag"});
}

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
      {"audit", "[SUBJECT] [--by ACTOR] [--limit N]",
       "who did what, and why: the newest rows of the audit log", audit},
  };
}

}  // namespace orderd::ctl
