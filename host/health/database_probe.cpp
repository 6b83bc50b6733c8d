#include "health/database_probe.h"

#include "base/counted.h"
#include "base/log_summed.h"
#include "store/abandoned.h"

namespace orderd::health {
namespace {

using std::chrono::steady_clock;

constexpr int answer_timeout_ms = 2000, connect_timeout_s = 2;

constexpr store::Statement takes_writes{"takes_writes",
                                        "select not pg_is_in_recovery() and "
                                        "current_setting('transaction_read_only') = 'off'"};

store::ConnectionOptions impatient(store::ConnectionOptions database) {
  database.answer_timeout_ms = answer_timeout_ms;
  database.connect_timeout_s = connect_timeout_s;
  return database;
}

}  // namespace

DatabaseProbe::DatabaseProbe(store::ConnectionOptions database, std::function<void()> on_answer,
                             ProbeOptions options)
    : database_(impatient(std::move(database))),
      on_answer_(std::move(on_answer)),
      options_(options),
      up_(metrics().gauge("orderd_database_up", "1 while PostgreSQL answers this host and takes writes")),
      problem_("postgres: not asked yet"),
      known_at_(steady_clock::now()),
      thread_("health", [this](const std::stop_token&) { run(); }) {}

DatabaseProbe::~DatabaseProbe() {
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
  }
  ended_changed_.notify_all();
  thread_.join();
}

std::string DatabaseProbe::problem() const {
  std::lock_guard lock(mutex_);
  if (!problem_.empty()) return problem_;
  const auto age = steady_clock::now() - known_at_;
  if (age <= options_.stale_after) return "";
  return "postgres: no answer for " +
         std::to_string(std::chrono::duration_cast<std::chrono::seconds>(age).count()) + " s";
}

void DatabaseProbe::run() {
  std::unique_ptr<store::Connection> connection;
  for (;;) {
    std::string problem = ask(connection);
    up_.Set(problem.empty() ? 1 : 0);
    std::unique_lock lock(mutex_);
    problem_ = std::move(problem);
    known_at_ = steady_clock::now();
    if (ended_changed_.wait_for(lock, options_.interval, [this] { return ended_; })) return;
  }
}

/// A server that does not let this role end its own sessions can be used all the same.
void DatabaseProbe::end_abandoned(store::Connection& connection) const {
  try {
    if (const int ended = store::end_abandoned(connection, database_.idle_in_transaction_timeout_ms);
        ended > 0)
      log_warning("database", "ended " + counted(ended, "session") +
                                  " that a frozen program had left in the middle of a transaction");
  } catch (const store::DbError& error) {
    if (error.connection_lost) throw;
    log_summed(LogLevel::warning, "database", "sessions of frozen hosts cannot be ended",
               {{"error", error.what()}});
  }
}

std::string DatabaseProbe::ask(std::unique_ptr<store::Connection>& connection) const {
  try {
    if (!connection || !connection->alive()) connection = std::make_unique<store::Connection>(database_);
    const bool writes = connection->run(takes_writes).boolean(0, 0);
    if (on_answer_) on_answer_();
    if (writes) {
      end_abandoned(*connection);
      return "";
    }
    connection.reset();  // a new session may find the server that takes them
    return "postgres: the server takes no writes (read-only)";
  } catch (const std::exception& error) {
    connection.reset();
    const std::string text = error.what();
    return "postgres: " + text.substr(0, text.find('\n'));
  }
}

}  // namespace orderd::health
