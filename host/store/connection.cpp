#include "store/connection.h"

#include <poll.h>

#include <algorithm>

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

/// Class 57P: the server is going down or ended this session. Class 08: the connection itself.
bool ends_session(const std::string& sqlstate) {
  return sqlstate.rfind("57P", 0) == 0 || sqlstate.rfind("08", 0) == 0;
}

void count_stale_write() {
  static auto& refused =
      metrics().counter("orderd_stale_writes_refused_total",
                        "Writes that came too late: another host owns the shard, or the order has moved on");
  ++refused;
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

bool succeeded(const PGresult* result) {
  const auto status = PQresultStatus(result);
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

}  // namespace

Connection::Connection(const ConnectionOptions& options) : pooled_(options.pooled) {
  const std::string connect_timeout = std::to_string(options.connect_timeout_s);
  const std::string tcp_timeout = std::to_string(options.tcp_user_timeout_ms);
  const char* keywords[] = {"dbname",
                            "connect_timeout",
                            "tcp_user_timeout",
                            "fallback_application_name",
                            options.password.empty() ? nullptr : "password",
                            nullptr};
  const char* values[] = {options.url.c_str(),      connect_timeout.c_str(),
                          tcp_timeout.c_str(),      options.application_name.c_str(),
                          options.password.c_str(), nullptr};
  connection_.reset(PQconnectdbParams(keywords, values, 1));
  if (!connection_ || PQstatus(connection_.get()) != CONNECTION_OK)
    throw DbError("cannot connect to PostgreSQL: " + trimmed(PQerrorMessage(connection_.get())),
                  refusal_of(PQerrorMessage(connection_.get())), true);
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  if (!pooled_)
    script("set lock_timeout = " + std::to_string(options.lock_timeout_ms) +
           "; set idle_in_transaction_session_timeout = " +
           std::to_string(options.idle_in_transaction_timeout_ms) +
           "; set enable_seqscan = off; set timezone = 'UTC'; set client_encoding = 'UTF8'");
  if (!clock_offset()) measure_clock(*this);
}

bool Connection::alive() {
  // Something that came unasked is a notice at best and the session's end at worst; reading on finds out
  // which.
  for (pollfd socket{PQsocket(connection_.get()), POLLIN, 0}; usable() && ::poll(&socket, 1, 0) > 0;)
    if (PQconsumeInput(connection_.get()) != 1) return false;
  return usable();
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

std::vector<Rows> Connection::flush() {
  if (queued_.empty()) return {};
  PGconn* c = connection_.get();
  if (PQpipelineSync(c) != 1) lost();
  std::vector<Rows> results;
  std::optional<DbError> error;
  for (const Queued& command : queued_) {
    Rows rows(PQgetResult(c));
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
    while (PGresult* end = PQgetResult(c)) PQclear(end);  // libpq ends each command's results with a null
  }
  queued_.clear();
  const Rows sync(PQgetResult(c));
  if (!sync.raw() || PQresultStatus(sync.raw()) != PGRES_PIPELINE_SYNC) lost();
  if (!error) return results;
  if (error->connection_lost) broken_ = true;
  if (error->sqlstate == sqlstate_stale_owner || error->sqlstate == sqlstate_version_conflict)
    count_stale_write();
  throw DbError(*error);
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
  const Rows result(PQexec(connection_.get(), sql.c_str()));
  if (!result.raw()) lost();
  if (succeeded(result.raw())) return;
  if (PQstatus(connection_.get()) != CONNECTION_OK) lost();
  const std::string state = sqlstate_of(result.raw());
  // The place in the script helps who wrote it, but not who lacks a right.
  const std::string text =
      state == sqlstate_no_right ? what_of(result.raw()) : trimmed(PQresultErrorMessage(result.raw()));
  throw DbError(text, state, ends_session(state));
}

namespace {
constexpr Statement begin{"begin", "begin"};
constexpr Statement commit_statement{"commit", "commit"};
}  // namespace

UnitOfWork::UnitOfWork(Connection& connection) : connection_(connection) { connection_.send(begin); }

UnitOfWork::~UnitOfWork() {
  if (done_ || !connection_.usable()) return;
  try {
    (void)connection_.flush();  // what is still queued goes first, or script() would have to refuse
  } catch (const DbError&) {
    // Of no matter: all of it is rolled back.
  }
  try {
    if (connection_.usable()) connection_.script("rollback");
  } catch (const DbError&) {
    // The session is broken and ends; PostgreSQL rolls back with it.
  }
}

std::vector<Rows> UnitOfWork::flush() {
  const bool first = !begun_;
  begun_ = true;
  auto results = connection_.flush();
  if (first) results.erase(results.begin());
  return results;
}

Rows UnitOfWork::run(const Statement& statement, Args args) {
  send(statement, std::move(args));
  auto results = flush();
  return std::move(results.back());
}

std::vector<Rows> UnitOfWork::commit() {
  connection_.send(commit_statement);
  auto results = flush();
  done_ = true;
  results.pop_back();
  return results;
}

}  // namespace orderd::store
