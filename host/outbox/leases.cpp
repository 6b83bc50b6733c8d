#include "outbox/leases.h"

#include <algorithm>

#include "base/fault.h"

namespace orderd::outbox {
namespace {

constexpr store::Statement make_positions{"make_positions",
                                          "insert into positions (consumer, shard, pos, epoch) select $1, "
                                          "shard, -1, 0 from log_shard on conflict do nothing"};
constexpr store::Statement heartbeat{
    "heartbeat",
    "insert into hosts (consumer, id, seen) values ($1, $2, clock_timestamp()) "
    "on conflict (consumer, id) do update set seen = excluded.seen"};
constexpr store::Statement forget_hosts{
    "forget_hosts", "delete from hosts where consumer = $1 and seen < clock_timestamp() - interval '1 hour'"};
constexpr store::Statement count_hosts{
    "count_hosts",
    "select count(*), (select count(*) from log_shard), orderd_database() from hosts "
    "where consumer = $1 and seen > clock_timestamp() - make_interval(secs => $2::int4 / 1000.0)"};
constexpr store::Statement renew{
    "renew",
    "update positions set lease_until = clock_timestamp() + make_interval(secs => $3::int4 / 1000.0) "
    "where consumer = $1 and owner = $2 and shard = any($4::int2[]) returning shard, epoch"};
constexpr store::Statement claim{
    "claim",
    "update positions p set owner = $2, epoch = p.epoch + 1, "
    "lease_until = clock_timestamp() + make_interval(secs => $3::int4 / 1000.0) "
    "from (select shard from positions where consumer = $1 and (lease_until < clock_timestamp() or (owner = "
    "$2 and shard <> all($5::int2[]))) order by shard "
    "limit $4::int8 for no key update skip locked) free "
    "where p.consumer = $1 and p.shard = free.shard returning p.shard, p.pos, p.epoch"};
// What relays without owners do: everybody takes everything, and nobody asks whose it is.
constexpr store::Statement claim_of_all{
    "claim_of_all",
    "update positions set owner = $2, lease_until = clock_timestamp() + make_interval(secs => $3::int4 / "
    "1000.0) where consumer = $1 and shard <> all($5::int2[]) and $4::int8 >= 0 returning shard, pos, epoch"};
constexpr store::Statement release{"release",
                                   "update positions set owner = null, lease_until = '-infinity' "
                                   "where consumer = $1 and owner = $2 and shard = any($3::int2[])"};
constexpr store::Statement leave{"leave", "delete from hosts where consumer = $1 and id = $2"};
constexpr store::Statement advance_positions{
    "advance_positions",
    "with moved as (update positions p set pos = u.pos, lease_until = clock_timestamp() + make_interval(secs "
    "=> $5::int4 / 1000.0) "
    "from unnest($2::int2[], $3::int8[], $4::int4[]) u(shard, pos, epoch) "
    "where p.consumer = $1 and p.shard = u.shard and p.epoch = u.epoch and p.owner = $7 returning 1) "
    "select orderd_expect((select count(*) from moved), $6::int8, 'OD001', 'positions')"};
// The same by a host that trusts its own memory.
constexpr store::Statement advance_unfenced{
    "advance_unfenced",
    "with moved as (update positions p set pos = u.pos, lease_until = clock_timestamp() + make_interval(secs "
    "=> $5::int4 / 1000.0) "
    "from unnest($2::int2[], $3::int8[], $4::int4[]) u(shard, pos, epoch) "
    "where p.consumer = $1 and p.shard = u.shard returning 1) select $6::int8, $7::uuid, count(*) from "
    "moved"};

}  // namespace

Leases::Change Leases::maintain(store::Connection& connection) {
  Change change;
  const auto self = [&] { return store::Args().text(options_.consumer).uuid(options_.host); };
  store::UnitOfWork work(connection);
  work.send(make_positions, store::Args().text(options_.consumer));
  work.send(heartbeat, self());
  work.send(forget_hosts, store::Args().text(options_.consumer));
  work.send(count_hosts, store::Args().text(options_.consumer).int4(options_.lease_ms));
  // Only what is held here: a row that was forgotten must run out, or nobody would ever take it again.
  std::vector<std::int16_t> here;
  for (const auto& [shard, held] : held_) here.push_back(shard);
  work.send(renew, self().int4(options_.lease_ms).int2s(here));
  const auto results = work.flush();
  const std::int64_t hosts = std::max<std::int64_t>(1, results[3].integer(0, 0)),
                     shards = results[3].integer(0, 1);
  const bool shared = fault::mutation("shards_without_owner");
  const auto fair = static_cast<std::size_t>(shared ? shards : (shards + hosts - 1) / hosts);

  // A standby that took over may lack what was decided here last, and know the same epochs by another owner.
  const std::string database(results[3].bytes(0, 2));
  const bool another = !database_.empty() && database != database_;
  database_ = database;

  std::map<std::int16_t, Held> still;
  for (int i = 0; i < results[4].size(); ++i) {
    const auto found = held_.find(static_cast<std::int16_t>(results[4].integer(i, 0)));
    if (!another && found != held_.end() && found->second.epoch == results[4].integer(i, 1))
      still.insert(*found);
  }
  for (const auto& [shard, held] : held_)
    if (!still.contains(shard)) change.lost.push_back(shard);
  std::vector<std::int16_t> excess;
  while (still.size() > fair) {
    excess.push_back(still.rbegin()->first);
    still.erase(excess.back());
  }
  if (!excess.empty()) {
    work.send(release, self().int2s(excess));
    change.lost.insert(change.lost.end(), excess.begin(), excess.end());
  }
  if (still.size() < fair) {
    std::vector<std::int16_t>
        mine;  // rows of ours that are not here were forgotten: claimed anew, with a new epoch
    for (const auto& [shard, held] : still) mine.push_back(shard);
    const auto claimed = work.run(
        shared ? claim_of_all : claim,
        self().int4(options_.lease_ms).int8(static_cast<std::int64_t>(fair - still.size())).int2s(mine));
    for (int i = 0; i < claimed.size(); ++i) {
      const auto shard = static_cast<std::int16_t>(claimed.integer(i, 0));
      still[shard] = {claimed.integer(i, 1), static_cast<std::int32_t>(claimed.integer(i, 2))};
      change.gained.push_back(shard);
    }
  }
  work.commit();
  held_ = std::move(still);
  return change;
}

void Leases::release_all(store::Connection& connection) {
  const auto shards = forget();
  store::UnitOfWork work(connection);
  work.send(release, store::Args().text(options_.consumer).uuid(options_.host).int2s(shards));
  work.send(leave, store::Args().text(options_.consumer).uuid(options_.host));
  work.commit();
}

std::vector<std::int16_t> Leases::forget() {
  std::vector<std::int16_t> shards;
  for (const auto& [shard, held] : held_) shards.push_back(shard);
  held_.clear();
  return shards;
}

void Leases::advance(store::UnitOfWork& work, const std::map<std::int16_t, std::int64_t>& to) const {
  std::vector<std::int16_t> shards;
  std::vector<std::int64_t> positions;
  std::vector<std::int32_t> epochs;
  for (const auto& [shard, pos] : to) {
    const auto held = held_.find(shard);
    shards.push_back(shard);
    positions.push_back(pos);
    epochs.push_back(held == held_.end() ? -1 : held->second.epoch);
  }
  work.send(fault::mutation("saga_no_fence") ? advance_unfenced : advance_positions,
            store::Args()
                .text(options_.consumer)
                .int2s(shards)
                .int8s(positions)
                .int4s(epochs)
                .int4(options_.lease_ms)
                .int8(static_cast<std::int64_t>(shards.size()))
                .uuid(options_.host));
}

}  // namespace orderd::outbox
