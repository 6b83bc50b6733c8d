#include "pg_session.h"

#include <poll.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>

namespace simulated {
namespace {

constexpr const char* connect_timeout_s = "5";
constexpr const char* tcp_user_timeout_ms = "5000";
constexpr int answer_timeout_ms = 15'000;  // longer than the server's own limits below

// Index lookups always, also on a young table; nothing waits for ever.
constexpr const char* session_sql =
    "set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_hashjoin = off; "
    "set enable_mergejoin = off; set jit = off; set lock_timeout = '2s'; set statement_timeout = '10s'; "
    "set idle_in_transaction_session_timeout = '5s'; set client_min_messages = warning";

std::string name_of(std::size_t statement) { return "s" + std::to_string(statement); }

}  // namespace

std::string Rows::text(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

const unsigned char* Rows::integer_bytes(int row, int column) const {
  return reinterpret_cast<const unsigned char*>(PQgetvalue(result_.get(), row, column));
}

std::int64_t Rows::integer(int row, int column) const {
  const unsigned char* bytes = integer_bytes(row, column);
  const int size = PQgetlength(result_.get(), row, column);
  std::uint64_t number = size > 0 && (bytes[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
  for (int i = 0; i < size; ++i) number = number << 8 | bytes[i];
  return static_cast<std::int64_t>(number);
}

PgSession::PgSession(const std::string& url, const std::string& application_name,
                     const std::vector<std::string>& statements) {
  const std::array<const char*, 5> keys{"dbname", "fallback_application_name", "connect_timeout",
                                        "tcp_user_timeout", nullptr};
  const std::array<const char*, 5> values{url.c_str(), application_name.c_str(), connect_timeout_s,
                                          tcp_user_timeout_ms, nullptr};
  connection_.reset(PQconnectdbParams(keys.data(), values.data(), 1));
  if (PQstatus(connection_.get()) != CONNECTION_OK) lost("no connection");
  script(session_sql);
  for (std::size_t i = 0; i < statements.size(); ++i) {
    const Rows rows(PQprepare(connection_.get(), name_of(i).c_str(), statements[i].c_str(), 0, nullptr));
    if (!rows.sound()) throw error_of(rows);
  }
}

void PgSession::lost(const std::string& what) {
  throw PgSessionError(what + ": " + PQerrorMessage(connection_.get()), "", true);
}

PgSessionError PgSession::error_of(const Rows& rows) const {
  const char* state = PQresultErrorField(rows.raw(), PG_DIAG_SQLSTATE);
  const char* message = PQresultErrorField(rows.raw(), PG_DIAG_MESSAGE_PRIMARY);
  // Class 57P: the server is going away, and may have taken the transaction with it or not.
  const bool gone =
      !state || PQstatus(connection_.get()) != CONNECTION_OK || std::strncmp(state, "57P", 3) == 0;
  return {message ? message : PQerrorMessage(connection_.get()), state ? state : "", gone};
}

void PgSession::script(const std::string& sql) {
  const Rows rows(PQexec(connection_.get(), sql.c_str()));
  if (!rows.sound()) throw error_of(rows);
}

Rows PgSession::ask(const std::string& sql) {
  Rows rows(PQexecParams(connection_.get(), sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 1));
  if (!rows.sound()) throw error_of(rows);
  return rows;
}

/// The next result; nullptr at a statement's end.
PGresult* PgSession::next() {
  using Clock = std::chrono::steady_clock;
  const auto limit = Clock::now() + std::chrono::milliseconds(answer_timeout_ms);
  while (PQisBusy(connection_.get())) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(limit - Clock::now()).count();
    pollfd socket{PQsocket(connection_.get()), POLLIN, 0};
    const int ready = left > 0 ? poll(&socket, 1, static_cast<int>(left)) : 0;
    if (ready == 0) throw PgSessionError("the ledger's database does not answer", "", true);
    if (ready < 0 && errno != EINTR) lost("poll");
    if (PQconsumeInput(connection_.get()) == 0) lost("the connection broke");
  }
  return PQgetResult(connection_.get());
}

std::vector<Rows> PgSession::run(const std::vector<Trip>& trip) {
  PGconn* connection = connection_.get();
  if (PQenterPipelineMode(connection) == 0) lost("cannot begin");
  for (const Trip& one : trip) {
    const auto params = one.params.abi();
    std::vector<const char*> values;
    std::vector<int> lengths, formats(params.size(), 1);
    for (const orderd_param& param : params) {
      values.push_back(param.value.data);
      lengths.push_back(static_cast<int>(param.value.size));
    }
    if (PQsendQueryPrepared(connection, name_of(one.statement).c_str(), static_cast<int>(values.size()),
                            values.data(), lengths.data(), formats.data(), 1) == 0)
      lost("cannot send");
  }
  if (PQpipelineSync(connection) == 0) lost("cannot send");

  // What follows a statement that failed is skipped by the server; an error may also come with the commit.
  std::vector<Rows> results;
  std::optional<PgSessionError> error;
  for (bool at_end = false, between = false; !at_end;) {
    PGresult* result = next();
    if (!result && between) lost("an answer is missing");
    between = !result;  // a null ends each statement's results
    if (!result) continue;
    Rows rows(result);
    const auto status = PQresultStatus(result);
    at_end = status == PGRES_PIPELINE_SYNC;
    if (at_end || status == PGRES_PIPELINE_ABORTED) continue;
    if (rows.sound())
      results.push_back(std::move(rows));
    else if (!error)
      error.emplace(error_of(rows));
    if (error && error->lost) throw *error;
  }
  if (PQexitPipelineMode(connection) == 0) lost("cannot end");
  if (error) throw *error;
  return results;
}

}  // namespace simulated
