#include "outbox/marks.h"

namespace orderd::outbox {
namespace {

constexpr store::Statement read_marks{"read_marks", "select shard, pos from log_marks where consumer = $1"};
constexpr store::Statement move_marks{
    "move_marks",
    "insert into log_marks as m (consumer, shard, pos) select $1, * from unnest($2::int2[], $3::int8[]) "
    "on conflict (consumer, shard) do update set pos = excluded.pos where m.pos < excluded.pos"};
constexpr store::Statement read_epoch{"read_epoch", "select id, database from log_epoch"};
constexpr store::Statement read_state{
    "read_log_state",
    "select e.id, l.shard, l.last, coalesce(p.pos, -1) from log_epoch e cross join log_shard l "
    "left join positions p on p.consumer = $1 and p.shard = l.shard"};
constexpr store::Statement read_places{
    "read_places",
    "select u.place, e.pos from unnest($1::uuid[], $2::int4[]) with ordinality u(id, version, place) "
    "join order_events e on e.order_id = u.id and e.version = u.version"};

}  // namespace

std::map<std::int16_t, std::int64_t> marks(store::Connection& connection, const std::string& consumer) {
  const auto rows = connection.run(read_marks, store::Args().text(consumer));
  std::map<std::int16_t, std::int64_t> out;
  for (int i = 0; i < rows.size(); ++i)
    out[static_cast<std::int16_t>(rows.integer(i, 0))] = rows.integer(i, 1);
  return out;
}

void mark(store::Connection& connection, const std::string& consumer,
          const std::map<std::int16_t, std::int64_t>& to) {
  std::vector<std::int16_t> shards;
  std::vector<std::int64_t> positions;
  for (const auto& [shard, pos] : to) {
    shards.push_back(shard);
    positions.push_back(pos);
  }
  connection.run(move_marks, store::Args().text(consumer).int2s(shards).int8s(positions));
}

Epoch epoch(store::Connection& connection) {
  const auto rows = connection.run(read_epoch);
  return {rows.uuid(0, 0), std::string(rows.bytes(0, 1))};
}

LogState log_state(store::Connection& connection, const std::string& relay) {
  const auto rows = connection.run(read_state, store::Args().text(relay));
  LogState out;
  for (int i = 0; i < rows.size(); ++i) {
    const auto shard = static_cast<std::int16_t>(rows.integer(i, 1));
    out.epoch = rows.uuid(i, 0);
    out.ends[shard] = rows.integer(i, 2);
    out.published[shard] = rows.integer(i, 3);
  }
  return out;
}

std::vector<std::int64_t> places(store::Connection& connection, const std::vector<const Event*>& events) {
  std::vector<Uuid> ids;
  std::vector<std::int32_t> versions;
  for (const Event* event : events) {
    ids.push_back(event->order_id);
    versions.push_back(event->version);
  }
  const auto rows = connection.run(read_places, store::Args().uuids(ids).int4s(versions));
  std::vector<std::int64_t> out(events.size(), 0);
  for (int i = 0; i < rows.size(); ++i)
    out[static_cast<std::size_t>(rows.integer(i, 0) - 1)] = rows.integer(i, 1);
  return out;
}

}  // namespace orderd::outbox
