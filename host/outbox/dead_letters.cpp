#include "outbox/dead_letters.h"

#include "base/metrics.h"

namespace orderd::outbox {
namespace {

constexpr std::int64_t replays_per_look_max = 100;
constexpr store::Statement insert_letters{
    "park_letters",
    "with foreign_kept as (select count(*) as n from (select from parked where consumer = $1 and "
    "from_version = "
    "0 and 0 = any($3::int4[]) limit $9::int8) l) "
    "insert into parked (consumer, order_id, from_version, shard, pos, reason, headers, payload) "
    "select $1, i, v, s, p, r, h::jsonb, case when v = 0 then b end from unnest($2::uuid[], $3::int4[], "
    "$4::int2[], $5::int8[], $6::text[], $7::text[], $8::bytea[]) u(i, v, s, p, r, h, b), foreign_kept "
    "where v > 0 or foreign_kept.n < $9::int8 on conflict do nothing"};
// As the saga says it of its own letters (saga/storage/records.h). Rows that others hold have their turn a
// second later.
constexpr store::Statement mark_letters{
    "mark_letters",
    "with shown as (select o.id, p.at from (select order_id, min(at) as at from parked where consumer = $1 "
    "and "
    "from_version > 0 and replay is null group by order_id limit 1000) p join order_state o on o.id = "
    "p.order_id "
    "where o.attention is null order by o.id for no key update of o skip locked) "
    "update order_state o set attention = format('{\"code\":\"EVENT_PARKED\",\"since\":\"%s\"}', "
    "to_char(s.at at time "
    "zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')) from shown s where o.id = s.id"};
constexpr store::Statement unmark_order{
    "unmark_letters",
    "update order_state set attention = null where id = $1 and attention::jsonb ->> 'code' = 'EVENT_PARKED' "
    "and "
    "not exists (select from parked where order_id = $1 and from_version > 0)"};
constexpr store::Statement read_replays{
    "read_replays",
    "select p.order_id, min(p.shard), min(p.from_version), max(p.from_version) from parked p where "
    "p.consumer = $1 and p.from_version > 0 and p.order_id in (select order_id from parked where consumer = "
    "$1 and replay <= now() and from_version > 0 and shard = any($2::int2[]) order by id limit $3::int8) "
    "group by p.order_id"};
constexpr store::Statement delete_letters{
    "unpark_letters", "delete from parked where consumer = $1 and order_id = $2 and from_version > 0"};
constexpr store::Statement keep_letters{"keep_letters",
                                        "update parked set replay = null, reason = $3, at = now() where "
                                        "consumer = $1 and order_id = $2 and from_version > 0"};

Metrics::Counter& foreign_records() {
  return metrics().counter("orderd_foreign_records_total",
                           "Records of the topic that are no event of ours, as often as a consumer met them");
}

constexpr store::Statement count_letters{"count_letters", "select count(*) from parked where consumer = $1"};
constexpr std::chrono::seconds count_every{10};

}  // namespace

void LetterCount::count(store::Connection& connection, const std::string& consumer) {
  const auto now = std::chrono::steady_clock::now();
  if (now < again_) return;
  again_ = now + count_every;
  metrics()
      .gauge("orderd_dead_letters", "Events and records that the consumer could not take, of all hosts",
             {{"consumer", consumer}})
      .Set(static_cast<double>(connection.run(count_letters, store::Args().text(consumer)).integer(0, 0)));
}

void park(store::UnitOfWork& work, const std::string& consumer, const std::vector<DeadLetter>& letters) {
  if (letters.empty()) return;
  std::vector<Uuid> ids;
  std::vector<std::int32_t> versions;
  std::vector<std::int16_t> shards;
  std::vector<std::int64_t> positions;
  std::vector<std::string> reasons, payloads;
  std::vector<std::optional<std::string>> headers;
  for (const DeadLetter& one : letters) {
    if (one.version == 0) foreign_records().Increment();
    ids.push_back(one.order_id);
    versions.push_back(one.version);
    shards.push_back(one.shard);
    positions.push_back(one.pos);
    reasons.push_back(one.reason);
    headers.push_back(one.headers_json.empty() ? std::nullopt : std::optional(one.headers_json));
    payloads.push_back(one.payload);
  }
  work.send(insert_letters, store::Args()
                                .text(consumer)
                                .uuids(ids)
                                .int4s(versions)
                                .int2s(shards)
                                .int8s(positions)
                                .texts(reasons)
                                .nullable_texts(headers)
                                .byteas(payloads)
                                .int8(foreign_kept_max));
}

std::vector<Replay> replays(store::Connection& connection, const std::string& consumer,
                            const std::set<std::int16_t>& shards) {
  const std::vector<std::int16_t> wanted(shards.begin(), shards.end());
  const auto rows =
      connection.run(read_replays, store::Args().text(consumer).int2s(wanted).int8(replays_per_look_max));
  std::vector<Replay> out;
  for (int i = 0; i < rows.size(); ++i)
    out.push_back({rows.uuid(i, 0), static_cast<std::int16_t>(rows.integer(i, 1)),
                   static_cast<std::int32_t>(rows.integer(i, 2)),
                   static_cast<std::int32_t>(rows.integer(i, 3))});
  return out;
}

void mark_attention(store::UnitOfWork& work, const std::string& consumer) {
  work.send(mark_letters, store::Args().text(consumer));
}

void unmark_attention(store::UnitOfWork& work, const Uuid& order_id) {
  work.send(unmark_order, store::Args().uuid(order_id));
}

void unpark(store::UnitOfWork& work, const std::string& consumer, const Uuid& order_id) {
  work.send(delete_letters, store::Args().text(consumer).uuid(order_id));
}

void replay_failed(store::UnitOfWork& work, const std::string& consumer, const Uuid& order_id,
                   const std::string& reason) {
  work.send(keep_letters, store::Args().text(consumer).uuid(order_id).text(reason));
}

}  // namespace orderd::outbox
