#include "app/database_start.h"

#include "app/database_check.h"
#include "app/wiring.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/service.h"
#include "store/key_check.h"
#include "store/migrations.h"
#include "store/rights.h"

namespace orderd {
namespace {

/// Makes what the version before does without: an upgrade needs no stop of all hosts. A role that may make no
/// tables leaves that to `orderctl migrate apply`, and what is missing is said next.
void catch_up(store::Connection& connection) {
  try {
    for (const auto& one : store::apply_compatible(connection, store::host_migrations()))
      log_info("main", "applied a migration", {{"name", one.name}});
  } catch (const store::DbError& error) {
    if (error.sqlstate != store::sqlstate_no_right || error.connection_lost) throw;
  }
}

/// A session for what is to come, with a database that fits.
std::unique_ptr<store::Connection> judged(const config::Settings& settings, const store::SecretBox& box) {
  if (const auto unfit = store::unfit_database(database(settings)); unfit.found())
    throw config::ConfigError("postgres.url: " + unfit.line());
  auto made = std::make_unique<store::Connection>(database(settings));
  store::Connection& connection = *made;
  catch_up(connection);
  if (const auto problem = store::schema_problem(connection); !problem.empty())
    throw config::ConfigError(problem);
  if (const auto problem = store::rights_problem(connection); !problem.empty())
    throw NoPermission("postgres.url: " + problem);
  if (const auto problem = store::remember_key(connection, box, settings.secrets_key_file); !problem.empty())
    throw config::ConfigError(problem);
  return made;
}

/// Throws for what no waiting mends: who we are, which database, what we may.
void refuse_for_good(const store::DbError& error) {
  if (const std::string fix = store::refusal_fix(error.sqlstate); !fix.empty())
    throw NoPermission(std::string("postgres.url: ") + error.what() + ": " + fix + " (`orderctl doctor`)");
}

/// What does not keep a host from starting, and will be somebody's trouble later.
void warn_of_database(store::Connection& connection, const config::Settings& settings,
                      const saga::Definition& definition) {
  const auto warn = [](const std::string& finding, const std::string& fix) {
    log_warning("main", finding, {{"fix", fix}});
  };
  if (const auto unfit = store::forgetful_server(connection); unfit.found()) warn(unfit.problem, unfit.fix);
  for (const admin::Need& need : past_instances(connection, settings, definition).missing)
    warn(sentence(need) + ", which is not configured", fix_for_missing(need));
}

}  // namespace

void refuse_unfit_database(const config::Settings& settings, const saga::Definition& definition,
                           const store::SecretBox& box) {
  try {
    warn_of_database(*judged(settings, box), settings, definition);
  } catch (const store::DbError& error) { refuse_for_good(error); }
}

bool wait_for_schema(const config::Settings& settings, const store::SecretBox& box,
                     plugins::Registry& registry, rollout::RolloutController& rollout) {
  for (bool said = false;; said = true) {
    bool fits = false;
    try {
      const auto connection = judged(settings, box);
      fits = true;
      ORDERD_FAULT_POINT("main.before_migration");
      registry.migrate(*connection);
      if (const auto problem = store::plugins_rights_problem(*connection, registry.migrations());
          !problem.empty())
        log_warning("main", problem);
      rollout.begin(*connection);
      return true;
    } catch (const store::DbError& error) {
      refuse_for_good(error);
      if (fits && !error.connection_lost) throw;
      if (!said)
        log_warning("main", "waiting for PostgreSQL, orders are answered 503", {{"error", error.what()}});
      service::needs(std::chrono::seconds(30));
      service::status("waiting for PostgreSQL");
      if (service::wait(std::chrono::milliseconds(500)) == service::Request::stop) return false;
    }
  }
}

}  // namespace orderd
