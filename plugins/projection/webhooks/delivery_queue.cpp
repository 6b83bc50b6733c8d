#include "delivery_queue.h"

#include <poll.h>

#include <array>
#include <chrono>

namespace merchant_webhooks {
namespace {

constexpr int gone = 410;  // the endpoint asks to be left alone

constexpr const char* session_sql =
    "set statement_timeout = '10s'; set lock_timeout = '2s'; set idle_in_transaction_session_timeout = '5s'; "
    "set client_min_messages = warning";
constexpr const char* new_url =
    "update merchant_webhooks.endpoints set url = $2, failing_since = null, disabled_at = null, "
    "disabled_reason = '' where endpoint = $1 and url <> $2";
constexpr const char* take_replay =
    "update merchant_webhooks.endpoints set replayed = array_append(replayed, $2::text), failing_since = "
    "null, "
    "disabled_at = null, disabled_reason = '' where endpoint = $1 and not $2::text = any(replayed) returning "
    "1";
constexpr const char* replay =
    "update merchant_webhooks.deliveries set state = 0, attempts = 0, next_at = now() where endpoint = $1 "
    "and state <> 0 and created >= $2::timestamptz and created < $3::timestamptz and (state = 2 or not "
    "$4::bool)";
constexpr const char* begin_due =
    "with due as (select id from merchant_webhooks.deliveries where endpoint = $1 and state = 0 "
    "and next_at <= now() and not exists (select 1 from merchant_webhooks.endpoints where endpoint = $1 "
    "and disabled_at is not null) order by next_at, id limit $2::int for update skip locked) "
    "update merchant_webhooks.deliveries d set attempts = attempts + 1, "
    "next_at = now() + $3::int8 * interval '1 ms' from due where d.id = due.id "
    "returning d.id, d.attempts, d.order_id, d.version, d.body";
constexpr const char* note_attempt =
    "insert into merchant_webhooks.attempts (delivery, attempt, status, elapsed_ms, error) "
    "select $1::int8, $2::int, nullif($3::int, 0), $4::int, $5 "
    "where exists (select 1 from merchant_webhooks.deliveries where id = $1::int8)";
constexpr const char* delivered =
    "update merchant_webhooks.deliveries set state = 1, delivered_at = now(), last_status = $2::int, "
    "last_error = null where id = $1::int8";
constexpr const char* works_again =
    "update merchant_webhooks.endpoints set failing_since = null where endpoint = $1 and failing_since is "
    "not "
    "null";
constexpr const char* failed =
    "update merchant_webhooks.deliveries set state = $2::int2, next_at = now() + $3::int8 * interval '1 ms', "
    "last_status = nullif($4::int, 0), last_error = $5 where id = $1::int8 and state = 0";
constexpr const char* fails =
    "update merchant_webhooks.endpoints set failing_since = now() where endpoint = $1 and failing_since is "
    "null";
constexpr const char* disable_endpoint =
    "update merchant_webhooks.endpoints set disabled_at = now(), disabled_reason = $2 where endpoint = $1 "
    "and "
    "disabled_at is null and ($3::bool or failing_since <= now() - $4::int8 * interval '1 second') returning "
    "1";
constexpr const char* read_state =
    "select (select count(*) from merchant_webhooks.deliveries where endpoint = $1 and state = 0), "
    "exists (select 1 from merchant_webhooks.endpoints where endpoint = $1 and disabled_at is not null)";
constexpr const char* seen = "update merchant_webhooks.endpoints set seen_at = now() where endpoint = $1";
// Of an endpoint that no host has any more, nobody else would ever delete.
constexpr const char* forget =
    "with old as (delete from merchant_webhooks.deliveries where id in "
    "(select id from merchant_webhooks.deliveries where endpoint = any(array(select endpoint from "
    "merchant_webhooks.endpoints where endpoint = $1 or seen_at < now() - $2::int * interval '1 day')) "
    "and created < now() - $2::int * interval '1 day' order by created limit $3::int) "
    "returning state) select count(*), count(*) filter (where state = 0) from old";

constexpr std::chrono::seconds answer_max{10};
constexpr int forgotten_at_once_max = 5000;

std::string value(const PGresult* rows, int row, int column) {
  return {PQgetvalue(rows, row, column), static_cast<std::size_t>(PQgetlength(rows, row, column))};
}

}  // namespace

DeliveryQueue::DeliveryQueue(const QueueConfig& config) : config_(config) {
  const std::array<const char*, 5> keys{"dbname", "fallback_application_name", "connect_timeout",
                                        "tcp_user_timeout", nullptr};
  const std::array<const char*, 5> values{config.database.c_str(), "orderd webhooks", "5", "5000", nullptr};
  connection_.reset(PQconnectdbParams(keys.data(), values.data(), 1));
  if (PQstatus(connection_.get()) != CONNECTION_OK)
    throw BookError(std::string("no connection: ") + PQerrorMessage(connection_.get()));
  const Rows session(PQexec(connection_.get(), session_sql));
  if (PQresultStatus(session.get()) != PGRES_COMMAND_OK) throw BookError(PQerrorMessage(connection_.get()));
  run(new_url, {config_.endpoint, config_.url});
  if (!config_.replay.empty()) settle_replay();
}

DeliveryQueue::Rows DeliveryQueue::run(const char* sql, const std::vector<std::string>& values) {
  std::vector<const char*> pointers;
  for (const std::string& one : values) pointers.push_back(one.c_str());
  if (PQsendQueryParams(connection_.get(), sql, static_cast<int>(values.size()), nullptr, pointers.data(),
                        nullptr, nullptr, 0) != 1)
    throw BookError(PQerrorMessage(connection_.get()));
  Rows rows = answer();
  const auto status = PQresultStatus(rows.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
    throw BookError(PQerrorMessage(connection_.get()));
  return rows;
}

/// A server that is frozen must not hold the plugin, which has to stop with its host.
DeliveryQueue::Rows DeliveryQueue::answer() {
  PGconn* c = connection_.get();
  const auto end = std::chrono::steady_clock::now() + answer_max;
  Rows last;
  for (;;) {
    while (PQisBusy(c) != 0) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
      pollfd socket{PQsocket(c), POLLIN, 0};
      if (left <= 0 || ::poll(&socket, 1, static_cast<int>(left)) == 0)
        throw BookError("the server does not answer");
      if (PQconsumeInput(c) != 1) throw BookError(PQerrorMessage(c));
    }
    Rows next(PQgetResult(c));
    if (!next) return last;
    last = std::move(next);
  }
}

/// Each text of the setting once: whoever restarts the host does not send everything again.
void DeliveryQueue::settle_replay() {
  const Replay asked = read_replay(config_.replay);
  run("begin");
  if (PQntuples(run(take_replay, {config_.endpoint, config_.replay}).get()) == 1) {
    const Rows rows =
        run(replay, {config_.endpoint, asked.from, asked.to, asked.failed_only ? "true" : "false"});
    replayed_ = std::strtoll(PQcmdTuples(rows.get()), nullptr, 10);
  }
  run("commit");
}

std::vector<Due> DeliveryQueue::begin(int limit) {
  const Rows rows =
      run(begin_due, {config_.endpoint, std::to_string(limit), std::to_string(config_.lease_ms)});
  std::vector<Due> due;
  for (int i = 0; i < PQntuples(rows.get()); ++i) {
    const std::int64_t version = std::stoll(value(rows.get(), i, 3));
    due.push_back({std::stoll(value(rows.get(), i, 0)), std::stoll(value(rows.get(), i, 1)),
                   message_id(value(rows.get(), i, 2), version), value(rows.get(), i, 4)});
  }
  return due;
}

DeliveryQueue::Left DeliveryQueue::end(const Result& result) {
  const std::string id = std::to_string(result.id), status = std::to_string(result.status);
  Left left = Left::nothing;
  run("begin");
  run(note_attempt,
      {id, std::to_string(result.attempts), status, std::to_string(result.elapsed_ms), result.error});
  if (result.delivered()) {
    run(delivered, {id, status});
    run(works_again, {config_.endpoint});
  } else {
    const std::int64_t wait = wait_ms(config_.schedule_s, result.attempts, result.id);
    left = wait < 0 ? Left::given_up : Left::again;
    run(failed, {id, wait < 0 ? "2" : "0", std::to_string(std::max(wait, result.retry_after_ms)), status,
                 result.error});
    run(fails, {config_.endpoint});
    if (disable(result.error, result.status == gone)) left = Left::disabled;
  }
  run("commit");
  return left;
}

bool DeliveryQueue::disable(const std::string& reason, bool at_once) {
  const Rows rows = run(disable_endpoint, {config_.endpoint, reason, at_once ? "true" : "false",
                                           std::to_string(config_.disable_after_s)});
  return PQntuples(rows.get()) == 1;
}

DeliveryQueue::State DeliveryQueue::state() {
  const Rows rows = run(read_state, {config_.endpoint});
  return {std::stoll(value(rows.get(), 0, 0)), value(rows.get(), 0, 1) == "t"};
}

DeliveryQueue::Forgotten DeliveryQueue::prune() {
  run(seen, {config_.endpoint});
  const Rows rows = run(
      forget, {config_.endpoint, std::to_string(config_.keep_days), std::to_string(forgotten_at_once_max)});
  const std::int64_t all = std::stoll(value(rows.get(), 0, 0));
  return {std::stoll(value(rows.get(), 0, 1)), all == forgotten_at_once_max};
}

}  // namespace merchant_webhooks
