#include "saga/storage/forgotten.h"

namespace orderd::saga {
namespace {

constexpr std::int64_t newest_rows = 256, round_rows = 1000;

// Open are the statuses below CONFIRMED, and CANCELLING (model/status.h). `took` is how far the consumer is
// in the log: with Kafka its mark, or where it stands in the log itself (bus/event_bus.h).
constexpr store::Statement read_forgotten{
    "read_forgotten",
    "with page as materialized (select id, shard, status, version from order_state where id < $1 order by id "
    "desc limit $2::int8), took as (select p.shard, greatest(m.pos, case when p.pos < -1 then p.pos + "
    "(1::int8 << 62) when $3::text like '%@kafka' then 0 else p.pos end) as pos from positions p left join "
    "log_marks m on m.consumer = split_part($3::text, '@', 1) and m.shard = p.shard and $3::text like "
    "'%@kafka' where p.consumer = $3) "
    "select (select id from page order by id limit 1), (select count(*) from page), f.* from (values (1)) "
    "one "
    "left join lateral (select g.id, g.version, g.shard, e.pos from page g join order_events e on e.order_id "
    "= g.id and e.version = g.version join took t on t.shard = g.shard where g.status = any(array[1, 2, 3, "
    "5]::int2[]) and g.shard = any($4::int2[]) and e.pos <= t.pos and e.at < now() - interval '30 seconds' "
    "and not exists (select from sagas s where s.order_id = g.id) and not exists (select from parked k where "
    "k.order_id = g.id and k.consumer = $3 and k.from_version > 0)) f on true"};

Uuid behind_all() {
  Uuid id;
  id.bytes.fill(0xff);
  return id;
}

}  // namespace

ForgottenCursor forgotten_page(store::Connection& connection, const std::string& consumer,
                               const std::vector<std::int16_t>& shards, const ForgottenCursor& before,
                               std::int64_t count, std::vector<Forgotten>& out) {
  const auto rows = connection.run(
      read_forgotten,
      store::Args().uuid(before.value_or(behind_all())).int8(count).text(consumer).int2s(shards));
  for (int i = 0; i < rows.size(); ++i)
    if (!rows.is_null(i, 2))
      out.push_back({rows.uuid(i, 2), static_cast<std::int32_t>(rows.integer(i, 3)),
                     static_cast<std::int16_t>(rows.integer(i, 4)), rows.integer(i, 5)});
  const bool more = !rows.is_null(0, 0) && rows.integer(0, 1) == count;
  return more ? ForgottenCursor(rows.uuid(0, 0)) : std::nullopt;
}

std::vector<Forgotten> find_forgotten(store::Connection& connection, const std::string& consumer,
                                      const std::set<std::int16_t>& shards, ForgottenCursor& cursor) {
  const std::vector<std::int16_t> wanted(shards.begin(), shards.end());
  std::vector<Forgotten> out;
  const auto next = forgotten_page(connection, consumer, wanted, {}, newest_rows, out);
  const ForgottenCursor from = cursor ? cursor : next;
  cursor = from ? forgotten_page(connection, consumer, wanted, from, round_rows, out) : std::nullopt;
  return out;
}

}  // namespace orderd::saga
