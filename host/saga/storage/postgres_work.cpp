#include "saga/storage/postgres_work.h"

#include <algorithm>

#include "base/clock.h"
#include "model/json.h"
#include "outbox/dead_letters.h"
#include "outbox/log.h"

namespace orderd::saga {
namespace {

constexpr store::Statement start_sagas{
    "start_sagas",
    "insert into sagas (order_id, shard, st, wake, data) select u.a, u.s, u.m, u.w, u.d "
    "from unnest($1::uuid[], $2::int2[], $3::int2[], $4::timestamptz[], $5::jsonb[]) u(a, s, m, w, d) "
    "join order_state o on o.id = u.a and o.version = 1 on conflict do nothing returning order_id"};
constexpr store::Statement reopen_sagas{
    "reopen_sagas",
    "insert into sagas (order_id, shard, st, wake, data) select * "
    "from unnest($1::uuid[], $2::int2[], $3::int2[], $4::timestamptz[], $5::jsonb[])"};
constexpr store::Statement update_sagas{"update_sagas",
                                        "update sagas g set st = u.m, wake = u.w, data = u.d "
                                        "from unnest($1::uuid[], $2::int2[], $3::int2[], $4::timestamptz[], "
                                        "$5::jsonb[]) u(a, s, m, w, d) where g.order_id = u.a"};
constexpr store::Statement update_states{
    "update_states",
    "with moved as (update order_state o set status = u.s, version = u.v, payment_status = u.p, attention = "
    "u.t "
    "from unnest($1::uuid[], $2::int2[], $3::int4[], $4::int2[], $5::text[], $6::int4[]) u(i, s, v, p, t, x) "
    "where o.id = u.i and o.version = u.x returning 1) "
    "select orderd_expect((select count(*) from moved), cardinality($1::uuid[]), 'OD002', 'order_state')"};
// Holds the version still until COMMIT for what begins without an event of its own: a cancellation comes
// before or after.
constexpr store::Statement guard_states{
    "guard_states",
    "with held as (select 1 from order_state o join unnest($1::uuid[], $2::int4[]) u(i, x) on o.id = u.i and "
    "o.version = u.x "
    "order by o.id for no key update of o) "
    "select orderd_expect((select count(*) from held), cardinality($1::uuid[]), 'OD002', 'order_state')"};
constexpr store::Statement mark_attention{
    "mark_attention",
    "update order_state o set attention = u.t from unnest($1::uuid[], $2::text[]) u(i, t) where o.id = u.i"};
constexpr store::Statement end_sagas{"end_sagas", "delete from sagas where order_id = any($1::uuid[])"};
constexpr store::Statement write_journal{"write_journal",
                                         "insert into saga_journal (order_id, at, data) select * from "
                                         "unnest($1::uuid[], $2::timestamptz[], $3::jsonb[])"};
constexpr store::Statement forget_secrets{"forget_secrets",
                                          "delete from payment_secrets where order_id = any($1::uuid[])"};
// A row that is gone was taken by another owner: then this transaction is not the one.
constexpr store::Statement take_inbox{
    "take_saga_inbox",
    "with taken as (delete from saga_inbox where id = any($1::int8[]) returning 1) "
    "select orderd_expect((select count(*) from taken), cardinality($1::int8[]), 'OD001', 'saga_inbox')"};

std::string attention_json(const std::string& code, Time since) {
  std::string out;
  json::Object object(out);
  object.add("code", code).add("since", to_rfc3339(since)).end();
  return out;
}

/// What `attention` shows while a person is needed: {"code":…,"since":…}.
std::optional<std::string> attention(const Saga& saga) {
  if (!saga.stuck && !saga.attention) return std::nullopt;
  return attention_json((saga.stuck ? saga.stuck : saga.attention)->code, saga.attention_since);
}

/// Rows of `sagas`, as arrays.
struct SagaRows {
  std::vector<Uuid> ids;
  std::vector<std::int16_t> shards, modes;
  std::vector<std::optional<Time>> wakes;
  std::vector<std::string> data;

  void add(const Saga& saga) {
    ids.push_back(saga.order_id);
    shards.push_back(saga.shard);
    modes.push_back(static_cast<std::int16_t>(saga.mode));
    const bool waits = saga.open && saga.open->phase != CommandPhase::sent && !saga.stuck;
    wakes.push_back(waits ? std::optional(saga.open->next) : std::nullopt);
    data.push_back(to_json(saga));
  }
  store::Args args() const {
    return std::move(
        store::Args().uuids(ids).int2s(shards).int2s(modes).nullable_timestamptzs(wakes).jsonbs(data));
  }
};

}  // namespace

PgWork::PgWork(store::Connection& connection, outbox::Leases& leases,
               std::map<std::int16_t, std::int64_t> positions)
    : work_(connection), lent_(work_), leases_(leases), positions_(std::move(positions)) {
  leases_.advance(work_, positions_);
}

void PgWork::write_states(const std::vector<Change>& changes, const std::vector<DeadLetter>& parked) {
  std::vector<Uuid> ids, guarded, marked;
  std::vector<std::int16_t> statuses, payments;
  std::vector<std::int32_t> versions, expected, guarded_versions;
  std::vector<std::optional<std::string>> attentions, marks;
  for (const Change& change : changes) {
    if (change.starts) continue;
    if (!change.events.empty()) {
      ids.push_back(change.saga.order_id);
      statuses.push_back(static_cast<std::int16_t>(change.saga.status));
      payments.push_back(static_cast<std::int16_t>(change.saga.payment.status));
      versions.push_back(change.saga.version);
      expected.push_back(change.expected_version);
      attentions.push_back(attention(change.saga));
    } else if (change.guard) {
      guarded.push_back(change.saga.order_id);
      guarded_versions.push_back(change.expected_version);
    }
    if (change.events.empty() && change.attention_moved) {
      marked.push_back(change.saga.order_id);
      marks.push_back(attention(change.saga));
    }
  }
  for (const DeadLetter& one : parked) {
    if (one.version == 0) continue;  // somebody's record, not an event of ours
    marked.push_back(one.order_id);
    marks.push_back(attention_json(event_parked_code, now()));
  }
  if (!ids.empty())
    work_.send(update_states, store::Args()
                                  .uuids(ids)
                                  .int2s(statuses)
                                  .int4s(versions)
                                  .int2s(payments)
                                  .nullable_texts(attentions)
                                  .int4s(expected));
  if (!guarded.empty()) work_.send(guard_states, store::Args().uuids(guarded).int4s(guarded_versions));
  if (!marked.empty()) work_.send(mark_attention, store::Args().uuids(marked).nullable_texts(marks));
}

void PgWork::write_sagas(const std::vector<Change>& changes) {
  SagaRows starts, reopens, updates;
  for (const Change& change : changes) {
    if (change.starts)
      starts.add(change.saga);
    else if (change.saga.mode == Mode::finished)
      continue;
    else if (change.reopens)
      reopens.add(change.saga);
    else
      updates.add(change.saga);
  }
  starting_ = starts.ids;
  if (!starts.ids.empty()) work_.send(start_sagas, starts.args());
  if (!reopens.ids.empty()) work_.send(reopen_sagas, reopens.args());
  if (!updates.ids.empty()) work_.send(update_sagas, updates.args());
}

void PgWork::write_ends(const std::vector<Change>& changes) {
  std::vector<Uuid> ended, journal_ids, settled;
  std::vector<Time> times;
  std::vector<std::string> journal;
  for (const Change& change : changes) {
    if (change.secret_settled) settled.push_back(change.saga.order_id);
    if (change.saga.mode != Mode::finished) continue;
    if (!change.reopens) ended.push_back(change.saga.order_id);
    journal_ids.push_back(change.saga.order_id);
    times.push_back(now());
    journal.push_back(to_json(change.saga));
  }
  if (!ended.empty()) work_.send(end_sagas, store::Args().uuids(ended));
  if (!journal_ids.empty())
    work_.send(write_journal, store::Args().uuids(journal_ids).timestamptzs(times).jsonbs(journal));
  if (!settled.empty()) work_.send(forget_secrets, store::Args().uuids(settled));
}

std::set<Uuid> PgWork::commit(const std::vector<Change>& changes, const std::vector<DeadLetter>& parked,
                              const std::vector<std::int64_t>& taken) {
  try {
    if (!taken.empty()) work_.send(take_inbox, store::Args().int8s(taken));
    const std::size_t first = work_.pending();
    write_sagas(changes);
    write_states(changes, parked);
    write_ends(changes);
    outbox::park(work_, leases_.consumer(), parked);
    std::map<std::int16_t, std::vector<Event>> events;
    for (const Change& change : changes)
      if (!change.events.empty()) {
        auto& of_shard = events[change.saga.shard];
        of_shard.insert(of_shard.end(), change.events.begin(), change.events.end());
      }
    outbox::append(work_, events);
    const auto results = work_.commit();
    for (const auto& [shard, position] : positions_) leases_.held().at(shard).pos = position;
    if (!events.empty()) outbox::appended().raise();
    std::set<Uuid> not_started(starting_.begin(), starting_.end());
    if (!starting_.empty())
      for (int i = 0; i < results[first].size(); ++i) not_started.erase(results[first].uuid(i, 0));
    return not_started;
  } catch (const store::DbError& error) { throw translate(error); }
}

}  // namespace orderd::saga
