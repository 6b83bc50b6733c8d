#include "app/database_check.h"

#include "app/wiring.h"
#include "store/migrations.h"

namespace orderd {

PastInstances past_instances(store::Connection& connection, const config::Settings& settings,
                             const saga::Definition& definition) {
  PastInstances out;
  for (admin::Need& need :
       admin::needed_instances(connection, instances_for_new_orders(settings, definition)))
    (settings.plugins.contains(need.instance) ? out.kept : out.missing).push_back(std::move(need));
  return out;
}

std::string fix_for_missing(const admin::Need& need) {
  return "keep plugin." + need.instance +
         ".library and its settings (a package's link in conf.d) until `orderctl doctor` says that no order "
         "needs it; without a slot and a route it gets no new orders";
}

std::vector<std::string> judge_database(const config::Settings& settings,
                                        const saga::Definition& definition) {
  std::vector<std::string> lines;
  try {
    if (const auto unfit = store::unfit_database(database(settings)); unfit.found())
      throw config::ConfigError("postgres.url: " + unfit.line());
    store::Connection connection(database(settings));
    if (!store::schema_problem(connection).empty()) return lines;
    for (const admin::Need& need : past_instances(connection, settings, definition).missing) {
      const std::string line = sentence(need) + ", which is not configured: " + fix_for_missing(need);
      if (need.in_flight > 0) throw config::ConfigError(line);
      lines.push_back(line);
    }
  } catch (const store::DbError& error) {
    lines.push_back(std::string("the database was not judged: ") + error.what());
  }
  return lines;
}

}  // namespace orderd
