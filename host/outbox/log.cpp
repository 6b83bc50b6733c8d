#include "outbox/log.h"

#include "base/fault.h"
#include "base/log.h"

namespace orderd::outbox {
namespace {

constexpr store::Statement append_events{
    "append_events",
    // An id that is far ahead (of a host that did not know the time yet) would lie beyond all partitions.
    "with c as (update log_shard set last = last + $1::int8 where shard = $2::int2 and (select "
    "orderd_expect(count(*), 0, 'OD004', 'new orders whose ids are more than a day ahead of the time') from "
    "unnest($3::uuid[], $4::int4[]) f(i, v) where v = 1 and i >= orderd_month_bound(clock_timestamp() + "
    "interval '1 day')) = 0 returning last - $1::int8 as base) "
    "insert into order_events (order_id, version, type, at, payload, traceparent, shard, pos) "
    "select a, b, t, x, p, r, $2::int2, c.base + o from c, "
    "unnest($3::uuid[], $4::int4[], $5::int2[], $6::timestamptz[], $7::bytea[], $8::text[]) "
    "with ordinality u(a, b, t, x, p, r, o)"};

// As everybody writes it first: a number from a sequence, which may become visible after a greater one.
constexpr store::Statement append_by_sequence{
    "append_by_sequence",
    "insert into order_events (order_id, version, type, at, payload, traceparent, shard, pos) "
    "select a, b, t, x, p, r, $2::int2, nextval('order_events_pos') from "
    "unnest($3::uuid[], $4::int4[], $5::int2[], $6::timestamptz[], $7::bytea[], $8::text[]) "
    "u(a, b, t, x, p, r) where $1::int8 > 0"};

constexpr store::Statement read_log{
    "read_log",
    "select e.shard, e.pos, e.order_id, e.version, e.type, e.at, e.payload, e.traceparent "
    "from unnest($1::int2[], $2::int8[]) u(s, p), lateral (select * from order_events where shard = u.s and "
    "pos > u.p "
    "order by pos limit $3::int8) e limit $3::int8"};

constexpr store::Statement read_history{
    "read_history",
    "select shard, pos, order_id, version, type, at, payload, traceparent from order_events "
    "where order_id = $1 and version > $2::int4 order by version"};

constexpr store::Statement read_ends{"read_ends", "select last from log_shard order by shard"};

std::vector<Entry> entries(const store::Rows& rows) {
  std::vector<Entry> out;
  out.reserve(static_cast<std::size_t>(rows.size()));
  for (int i = 0; i < rows.size(); ++i) {
    Entry entry;
    entry.shard = static_cast<std::int16_t>(rows.integer(i, 0));
    entry.pos = rows.integer(i, 1);
    entry.event = {rows.uuid(i, 2),
                   static_cast<std::int32_t>(rows.integer(i, 3)),
                   static_cast<EventType>(rows.integer(i, 4)),
                   rows.time(i, 5),
                   std::string(rows.bytes(i, 6)),
                   std::string(rows.bytes(i, 7))};
    out.push_back(std::move(entry));
  }
  return out;
}

}  // namespace

void append(store::UnitOfWork& work, const std::map<std::int16_t, std::vector<Event>>& events_by_shard) {
  for (const auto& [shard, events] : events_by_shard) {
    if (events.empty()) continue;
    std::vector<Uuid> ids;
    std::vector<std::int32_t> versions;
    std::vector<std::int16_t> types;
    std::vector<Time> times;
    std::vector<std::string> payloads;
    std::vector<std::optional<std::string>> traces;
    for (const Event& event : events) {
      ids.push_back(event.order_id);
      versions.push_back(event.version);
      types.push_back(static_cast<std::int16_t>(event.type));
      times.push_back(event.at);
      payloads.push_back(event.payload);
      traces.push_back(event.traceparent.empty() ? std::nullopt : std::optional(event.traceparent));
    }
    const bool by_sequence = fault::mutation("positions_from_sequence");
    work.send(by_sequence ? append_by_sequence : append_events,
              store::Args()
                  .int8(static_cast<std::int64_t>(events.size()))
                  .int2(shard)
                  .uuids(ids)
                  .int4s(versions)
                  .int2s(types)
                  .timestamptzs(times)
                  .byteas(payloads)
                  .nullable_texts(traces));
  }
}

std::vector<Entry> read(store::Connection& connection, const std::vector<From>& from, int max) {
  std::vector<std::int16_t> shards;
  std::vector<std::int64_t> after;
  for (const From& one : from) {
    shards.push_back(one.shard);
    after.push_back(one.after);
  }
  return entries(connection.run(read_log, store::Args().int2s(shards).int8s(after).int8(max)));
}

std::vector<std::int64_t> ends(store::Connection& connection) {
  const store::Rows rows = connection.run(read_ends);
  std::vector<std::int64_t> out;
  for (int i = 0; i < rows.size(); ++i) out.push_back(rows.integer(i, 0));
  return out;
}

std::vector<Entry> history(store::Connection& connection, const Uuid& order_id, std::int32_t after_version) {
  return entries(connection.run(read_history, store::Args().uuid(order_id).int4(after_version)));
}

void ensure_partitions(const store::ConnectionOptions& options) {
  try {
    store::Connection(options).script("select orderd_ensure_partitions(now(), 3)");
  } catch (const store::DbError& error) {
    log_warning("outbox",
                "next month's partition of order_events was not made; its events go to the default one",
                {{"error", error.what()}});
  }
}

Signal& appended() {
  static Signal signal;
  return signal;
}

}  // namespace orderd::outbox
