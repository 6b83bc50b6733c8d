#include "database_start.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/service.h"
#include "store/key_check.h"
#include "store/migrations.h"
#include "store/rights.h"
#include "wiring.h"

namespace orderd {
namespace {

void judge_database(store::Connection& connection, const config::Settings& settings,
                    const store::SecretBox& box) {
  if (const auto problem = store::schema_problem(connection); !problem.empty())
    throw config::ConfigError(problem);
  if (const auto problem = store::rights_problem(connection); !problem.empty())
    throw NoPermission("postgres.url: " + problem);
  if (const auto problem = store::remember_key(connection, box, settings.secrets_key_file); !problem.empty())
    throw config::ConfigError(problem);
}

/// Throws for what no waiting mends: who we are, which database, what we may.
void refuse_for_good(const store::DbError& error) {
  if (const std::string fix = store::refusal_fix(error.sqlstate); !fix.empty())
    throw NoPermission(std::string("postgres.url: ") + error.what() + ": " + fix + " (`orderctl doctor`)");
}

}  // namespace

void refuse_unfit_database(const config::Settings& settings, const store::SecretBox& box) {
  try {
    store::Connection connection(database(settings));
    judge_database(connection, settings, box);
  } catch (const store::DbError& error) { refuse_for_good(error); }
}

bool wait_for_schema(const config::Settings& settings, const store::SecretBox& box,
                     plugins::Registry& registry, swap::Keeper& keeper) {
  for (bool said = false;; said = true) {
    bool fits = false;
    try {
      store::Connection connection(database(settings));
      judge_database(connection, settings, box);
      fits = true;
      ORDERD_FAULT_POINT("main.before_migration");
      registry.migrate(connection);
      keeper.begin(connection);
      return true;
    } catch (const store::DbError& error) {
      refuse_for_good(error);
      if (fits && !error.connection_lost) throw;
      if (!said)
        log_warning("main", "waiting for PostgreSQL, orders are answered 503", {{"error", error.what()}});
      service::needs(std::chrono::seconds(30));
      service::status("waiting for PostgreSQL");
      if (service::wait(std::chrono::milliseconds(500)) == service::Wish::stop) return false;
    }
  }
}

}  // namespace orderd
