#include "store/connection.h"

#include <poll.h>

#include <algorithm>
#include <atomic>

#include "base/clock.h"
#include "base/metrics.h"
#include "store/database_clock.h"
#include "store/rights.h"

namespace orderd::store {
namespace {

std::string trimmed(const char* text) {
  std::string out = text ? text : "";
  while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
  return out;
}

std::string sqlstate_of(const PGresult* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return state ? state : "";
}

/// The primary message alone: DETAIL shows the row, and rows hold what no log may.
std::string what_of(const PGresult* result) {
  const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  return trimmed(primary ? primary : PQresultErrorMessage(result));
}

bool ends_session(const std::string& sqlstate) { return trouble_of(sqlstate) == Trouble::session; }

void count_stale_write() {
  static Metrics::Counter& refused =
      metrics().counter("orderd_stale_writes_refused_total",
                        "Writes that came too late: another host owns the shard, or the order has moved on");
  refused.Increment();
}

/// The SQLSTATE of a connection that the server refused for good, as far as its words tell: libpq hands out
/// no code before there is a session. "" if waiting may help.
std::string refusal_of(const char* message) {
  const std::string_view text = message ? message : "";
  const auto says = [&](const char* words) { return text.find(words) != text.npos; };
  if (says("password authentication failed") || says("no password supplied")) return "28P01";
  if (says("authentication failed") || says("no pg_hba.conf entry") ||
      (says("role \"") && says("does not exist")))
    return "28000";
  if (says("database \"") && says("does not exist")) return "3D000";
  if (says("permission denied")) return "42501";
  if (says("too many clients") || says("too many connections for") || says("remaining connection slots"))
    return "53300";  // waiting helps; refusal_fix() does not know it
  return "";
}

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// How late a process that stops ends a wait.
constexpr milliseconds wait_slice{250};
/// The server ends a statement before the session is given up, so that no work of a lost session goes on.
constexpr int statement_share_percent = 80;
/// TCP: a peer that is gone is found out within about this and tcp_user_timeout.
constexpr const char *keepalive_idle_s = "5", *keepalive_interval_s = "2", *keepalive_probes = "3";

std::atomic<steady_clock::time_point> no_waiting_from{steady_clock::time_point::max()};

std::string statement_timeout_sql(int answer_timeout_ms) {
  return "set statement_timeout = " + std::to_string(answer_timeout_ms / 100 * statement_share_percent);
}

bool succeeded(const PGresult* result) {
  const auto status = PQresultStatus(result);
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

}  // namespace

void stop_waiting_at(steady_clock::time_point end) { no_waiting_from = end; }

bool stopped_waiting() { return steady_clock::now() >= no_waiting_from.load(); }

Connection::Connection(const ConnectionOptions& options)
    : pooled_(options.pooled),
      lock_timeout_(std::to_string(options.lock_timeout_ms)),
      idle_timeout_(std::to_string(options.idle_in_transaction_timeout_ms)),
      answer_timeout_ms_(options.answer_timeout_ms) {
  if (stopped_waiting()) throw DbError("this process stops and asks PostgreSQL no more", "", true);
  const std::string connect_timeout = std::to_string(options.connect_timeout_s);
  const std::string tcp_timeout = std::to_string(options.tcp_user_timeout_ms);
  const char* keywords[] = {"dbname",
                            "connect_timeout",
                            "tcp_user_timeout",
                            "keepalives_idle",
                            "keepalives_interval",
                            "keepalives_count",
                            "fallback_application_name",
                            options.password.empty() ? nullptr : "password",
                            nullptr};
  const char* values[] = {options.url.c_str(),
                          connect_timeout.c_str(),
                          tcp_timeout.c_str(),
                          keepalive_idle_s,
                          keepalive_interval_s,
                          keepalive_probes,
                          options.application_name.c_str(),
                          options.password.c_str(),
                          nullptr};
  connection_.reset(PQconnectdbParams(keywords, values, 1));
  if (!connection_ || PQstatus(connection_.get()) != CONNECTION_OK)
    throw DbError("cannot connect to PostgreSQL: " + trimmed(PQerrorMessage(connection_.get())),
                  refusal_of(PQerrorMessage(connection_.get())), true);
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  if (PQsetnonblocking(connection_.get(), 1) != 0) lost();
  // Prepared plans are made once a session, perhaps while a table is still small: none may read it whole
  // later.
  if (!pooled_)
    script("set lock_timeout = " + lock_timeout_ + "; set idle_in_transaction_session_timeout = " +
           idle_timeout_ + "; " + statement_timeout_sql(answer_timeout_ms_) +
           "; set enable_seqscan = off; set timezone = 'UTC'; set client_encoding = 'UTF8'");
  if (!clock_offset()) measure_clock(*this);
}

bool Connection::read_only() const {
  for (const char* setting : {"in_hot_standby", "default_transaction_read_only"})
    if (const char* value = PQparameterStatus(connection_.get(), setting))
      if (std::string_view(value) == "on") return true;
  return false;
}

bool Connection::outdated() const {
  return read_only() && std::chrono::steady_clock::now() - opened_ > std::chrono::seconds(1);
}

bool Connection::alive() {
  // Something that came unasked is a notice at best and the session's end at worst; reading on finds out
  // which.
  for (pollfd socket{PQsocket(connection_.get()), POLLIN, 0}; usable() && ::poll(&socket, 1, 0) > 0;)
    if (PQconsumeInput(connection_.get()) != 1) return false;
  return usable();
}

void Connection::wait_for_server(short events, steady_clock::time_point end) {
  pollfd socket{PQsocket(connection_.get()), events, 0};
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
    if (left.count() <= 0 || stopped_waiting()) {
      broken_ = timed_out_ = true;
      throw DbError("PostgreSQL does not answer: connection given up", "", true);
    }
    if (::poll(&socket, 1, static_cast<int>(std::min(left, wait_slice).count())) > 0) return;
  }
}

PGresult* Connection::next_result() {
  PGconn* c = connection_.get();
  const auto limit = answer_timeout_ms_ > 0 ? milliseconds(answer_timeout_ms_) : std::chrono::hours(24 * 365);
  for (;;) {
    const int unsent = PQflush(c);
    if (unsent < 0) lost();
    if (PQisBusy(c) == 0) return PQgetResult(c);
    wait_for_server(static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN), steady_clock::now() + limit);
    if (PQconsumeInput(c) != 1) lost();
  }
}

void Connection::limit_answers(int timeout_ms) {
  if (!pooled_) script(statement_timeout_sql(timeout_ms));
  answer_timeout_ms_ = timeout_ms;
}

Connection::Patience::Patience(Connection& connection)
    : connection_(connection), before_ms_(connection.answer_timeout_ms_) {
  connection_.limit_answers(0);
}

Connection::Patience::~Patience() {
  if (!connection_.usable()) return;
  try {
    connection_.limit_answers(before_ms_);
  } catch (const DbError&) {
    connection_.broken_ = true;  // a session that would wait for ever is none to keep
  }
}

void Connection::lost() {
  broken_ = true;
  throw DbError("connection to PostgreSQL lost: " + trimmed(PQerrorMessage(connection_.get())), "", true);
}

void Connection::pipeline(bool on) {
  if (on == in_pipeline_) return;
  if ((on ? PQenterPipelineMode(connection_.get()) : PQexitPipelineMode(connection_.get())) != 1) lost();
  in_pipeline_ = on;
}

void Connection::queue(const std::string& name, const char* sql, Args& args) {
  pipeline(true);
  PGconn* c = connection_.get();
  if (pooled_) {
    if (!PQsendQueryParams(c, sql, args.count(), nullptr, args.pointers(), args.lengths(), args.formats(), 1))
      lost();
    return queued_.push_back({});
  }
  if (prepared_.insert(name).second) {
    if (!PQsendPrepare(c, name.c_str(), sql, 0, nullptr)) lost();
    queued_.push_back({name});
  }
  if (!PQsendQueryPrepared(c, name.c_str(), args.count(), args.pointers(), args.lengths(), args.formats(), 1))
    lost();
  queued_.push_back({});
}

void Connection::send(const Statement& statement, Args args) { queue(statement.name, statement.sql, args); }

void Connection::send_half() {
  PGconn* c = connection_.get();
  if (PQsendFlushRequest(c) != 1) lost();
  while (PQflush(c) == 1) wait_for_server(POLLOUT, steady_clock::now() + milliseconds(answer_timeout_ms_));
}

std::vector<Rows> Connection::flush() {
  if (queued_.empty()) return {};
  PGconn* c = connection_.get();
  if (PQpipelineSync(c) != 1) lost();
  std::vector<Rows> results;
  std::optional<DbError> error;
  for (const Queued& command : queued_) {
    Rows rows(next_result());
    if (!rows.raw()) lost();
    if (!succeeded(rows.raw())) {
      if (PQstatus(c) != CONNECTION_OK) lost();
      const std::string state = sqlstate_of(rows.raw());
      if (!error) error.emplace(what_of(rows.raw()), state, ends_session(state));
      if (!command.prepares.empty())
        prepared_.erase(command.prepares);  // refused, or skipped behind the error
    } else if (command.prepares.empty()) {
      results.push_back(std::move(rows));
    }
    while (PGresult* end = next_result()) PQclear(end);  // libpq ends each command's results with a null
  }
  queued_.clear();
  const Rows sync(next_result());
  if (!sync.raw() || PQresultStatus(sync.raw()) != PGRES_PIPELINE_SYNC) lost();
  if (!error) return results;
  if (error->connection_lost) broken_ = true;
  if (error->sqlstate == sqlstate_stale_owner || error->sqlstate == sqlstate_version_conflict)
    count_stale_write();
  throw DbError(*error);
}

int Connection::begin() {
  static constexpr Statement begin_statement{"begin", "begin"};
  static constexpr Statement limits{"transaction_limits",
                                    "select set_config('lock_timeout', $1, true), "
                                    "set_config('idle_in_transaction_session_timeout', $2, true)"};
  send(begin_statement);
  if (!pooled_) return 1;
  send(limits, Args().text(lock_timeout_).text(idle_timeout_));
  return 2;
}

std::size_t Connection::queued() const {
  return static_cast<std::size_t>(
      std::count_if(queued_.begin(), queued_.end(), [](const Queued& one) { return one.prepares.empty(); }));
}

Rows Connection::run(const Statement& statement, Args args) {
  send(statement, std::move(args));
  auto results = flush();
  return std::move(results.back());
}

void Connection::send_foreign(const char* sql, const std::vector<ForeignParam>& params, bool binary_result) {
  pipeline(true);
  PGconn* c = connection_.get();
  std::string key(sql);
  std::vector<Oid> types;
  std::vector<std::string> copies;  // a text value must end with NUL for libpq
  std::vector<const char*> values;
  std::vector<int> lengths, formats;
  copies.reserve(params.size());
  for (const ForeignParam& param : params) {
    key.append(1, '\0').append(std::to_string(param.type));
    types.push_back(param.type);
    copies.emplace_back(param.value.value_or(""));
    values.push_back(param.value ? copies.back().c_str() : nullptr);
    lengths.push_back(static_cast<int>(copies.back().size()));
    formats.push_back(param.binary ? 1 : 0);
  }
  const int count = static_cast<int>(params.size());
  if (pooled_) {
    if (!PQsendQueryParams(c, sql, count, types.data(), values.data(), lengths.data(), formats.data(),
                           binary_result))
      lost();
    return queued_.push_back({});
  }
  const std::string& name =
      foreign_.try_emplace(key, "foreign_" + std::to_string(foreign_.size())).first->second;
  if (prepared_.insert(name).second) {
    if (!PQsendPrepare(c, name.c_str(), sql, count, types.data())) lost();
    queued_.push_back({name});
  }
  if (!PQsendQueryPrepared(c, name.c_str(), count, values.data(), lengths.data(), formats.data(),
                           binary_result))
    lost();
  queued_.push_back({});
}

void Connection::script(const std::string& sql) {
  if (!queued_.empty()) throw std::logic_error("script() with statements still queued");
  pipeline(false);
  if (PQsendQuery(connection_.get(), sql.c_str()) != 1) lost();
  std::optional<Rows> last;
  while (PGresult* result = next_result()) last.emplace(result);  // an error is the last of them
  if (!last) lost();
  const Rows& result = *last;
  if (succeeded(result.raw())) return;
  if (PQstatus(connection_.get()) != CONNECTION_OK) lost();
  const std::string state = sqlstate_of(result.raw());
  // The place in the script helps who wrote it, but not who lacks a right.
  const std::string text =
      state == sqlstate_no_right ? what_of(result.raw()) : trimmed(PQresultErrorMessage(result.raw()));
  broken_ |= ends_session(state);
  throw DbError(text, state, ends_session(state));
}

}  // namespace orderd::store
