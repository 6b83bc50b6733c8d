#include "challenge_store.h"

namespace simulated {
namespace {

using orderd::sdk::Params;

enum Statement : std::size_t { find_call, save_answer, list_events, remove_event };

std::vector<std::string> statements(const std::string& s) {
  return {
      "select c.state, c.approved, c.amount, c.expires_ms, p.currency, p.closed from " + s +
          ".calls c join " + s +
          ".payments p using (payment_id) where c.payment_id = $1 and c.kind = 'authorize' and c.expires_ms "
          "> 0 "
          "order by c.at desc limit 1",

      "with answered as (update " + s +
          ".calls set approved = $2 where payment_id = $1 and kind = 'authorize' and state = 'pending' and "
          "approved is null and expires_ms > $3::int8 returning key) insert into " +
          s + ".events (payment_id, key, approved) select $1, key, $2 from answered returning id",

      "select id, payment_id, key, approved, (extract(epoch from at) * 1000)::int8 from " + s +
          ".events order by id limit $1::int8",

      "delete from " + s + ".events where id = $1::int8",
  };
}

}  // namespace

ChallengeStore::ChallengeStore(std::string url, std::string schema, std::string application_name)
    : url_(std::move(url)), schema_(std::move(schema)), application_name_(std::move(application_name)) {}

/// A session that is lost is made anew for the next trip.
std::vector<Rows> ChallengeStore::run(Trip trip) {
  std::lock_guard lock(mutex_);
  try {
    if (!session_) session_ = std::make_unique<PgSession>(url_, application_name_, statements(schema_));
    return session_->run({std::move(trip)});
  } catch (const PgSessionError& error) {
    if (error.lost) session_.reset();
    throw;
  }
}

std::optional<Challenge> ChallengeStore::find(const std::string& payment_id, std::int64_t now_ms) {
  const auto results = run({find_call, Params().text(payment_id)});
  const Rows& row = results.front();
  if (row.size() == 0) return std::nullopt;
  using State = Challenge::State;
  Challenge found{State::open, row.integer(0, 2), row.text(0, 4)};
  if (!row.is_null(0, 1))
    found.state = row.boolean(0, 1) ? State::approved : State::refused;
  else if (row.boolean(0, 5))
    found.state = State::closed;
  else if (row.integer(0, 3) <= now_ms || row.text(0, 0) != "pending")
    found.state = State::expired;
  return found;
}

bool ChallengeStore::answer(const std::string& payment_id, bool approved, std::int64_t now_ms) {
  return run({save_answer, Params().text(payment_id).boolean(approved).int8(now_ms)}).front().size() > 0;
}

std::vector<ChallengeResult> ChallengeStore::undelivered(std::int64_t count) {
  const auto results = run({list_events, Params().int8(count)});
  const Rows& rows = results.front();
  std::vector<ChallengeResult> out;
  for (int i = 0; i < rows.size(); ++i)
    out.push_back(
        {rows.integer(i, 0), rows.integer(i, 4), rows.text(i, 1), rows.text(i, 2), rows.boolean(i, 3)});
  return out;
}

void ChallengeStore::delivered(std::int64_t id) { run({remove_event, Params().int8(id)}); }

}  // namespace simulated
