#pragma once
// One session with PostgreSQL on libpq: prepared statements, binary parameters, many statements in one round
// trip.
#include <libpq-fe.h>

#include <chrono>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "store/args.h"
#include "store/connection_options.h"
#include "store/db_error.h"
#include "store/rows.h"

namespace orderd::store {

/// For a process that stops: from then on nobody waits for PostgreSQL. A wait that is under way ends with
/// connection_lost, and new sessions are refused. [any thread]
void stop_waiting_at(std::chrono::steady_clock::time_point end);
/// That time has come. [any thread]
bool stopped_waiting();

/// Not thread-safe: one thread at a time.
class Connection {
 public:
  explicit Connection(const ConnectionOptions& options);  // throws DbError
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Queues a statement. What is queued may be sent before flush(), and run, but not committed.
  void send(const Statement& statement, Args args = {});
  /// Sends what is queued and waits for all of it: one result a statement, in order. Throws the first
  /// statement's DbError; PostgreSQL then has skipped the rest.
  std::vector<Rows> flush();
  Rows run(const Statement& statement, Args args = {});
  /// Sends what is queued and not its end, as happens with more than libpq's buffer holds. For a fault point.
  void send_half();
  /// Several statements as text, for migrations and set-up; never with values of users.
  void script(const std::string& sql);
  /// Queues SQL that is not known at build time (a plugin's), prepared once per text.
  void send_foreign(const char* sql, const std::vector<ForeignParam>& params, bool binary_result);

  /// Queues BEGIN, and what a pooled session has to be told for each transaction; how many results that
  /// makes.
  int begin();
  /// Statements that were sent since the last flush.
  std::size_t queued() const;
  bool usable() const { return PQstatus(connection_.get()) == CONNECTION_OK && !broken_; }
  /// usable(), and the server has not ended this idle session: looks at the socket, asks nobody.
  bool alive();
  /// PostgreSQL takes no writes in this session: a standby, or a period of maintenance. As it last said;
  /// false behind a pooler that does not pass it on.
  bool read_only() const;
  /// read_only() for longer than a second: another session may find that it is over.
  bool outdated() const;
  /// It broke because the server did not answer in time: others will not be answered either.
  bool timed_out() const { return timed_out_; }
  /// For what may take long, such as a migration: no limit for answers until the object's end.
  class Patience {
   public:
    explicit Patience(Connection& connection);
    ~Patience();
    Patience(const Patience&) = delete;
    Patience& operator=(const Patience&) = delete;

   private:
    Connection& connection_;
    const int before_ms_;
  };
  PGTransactionStatusType transaction_status() const { return PQtransactionStatus(connection_.get()); }
  PGconn* raw() { return connection_.get(); }

 private:
  void queue(const std::string& name, const char* sql, Args& args);
  void pipeline(bool on);
  /// The next result, or null; waits no longer than answer_timeout_ms for the next byte. Throws DbError.
  PGresult* next_result();
  void wait_for_server(short events, std::chrono::steady_clock::time_point end);
  void limit_answers(int timeout_ms);
  [[noreturn]] void lost();
  struct Closer {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  std::unique_ptr<PGconn, Closer> connection_;
  const bool pooled_;
  const std::string lock_timeout_, idle_timeout_;  // milliseconds
  bool broken_ = false, in_pipeline_ = false, timed_out_ = false;
  int answer_timeout_ms_;
  std::chrono::steady_clock::time_point opened_ = std::chrono::steady_clock::now();
  std::unordered_set<std::string> prepared_;
  std::unordered_map<std::string, std::string> foreign_;  // text and types -> name
  struct Queued {
    std::string prepares;  // the name that this command prepares, "" for a query
  };
  std::vector<Queued> queued_;  // commands whose results the next flush reads
};

}  // namespace orderd::store
