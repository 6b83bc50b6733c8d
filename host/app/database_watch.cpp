#include "app/database_watch.h"

#include <cstdlib>

#include "app/wiring.h"
#include "base/log.h"
#include "base/service.h"
#include "base/sha256.h"

namespace orderd {
namespace {

constexpr std::chrono::seconds look_every{1};
constexpr std::size_t name_digits = 12;
constexpr int exit_config = 78;  // sysexits.h: a service manager does not start it again

/// Another database is another memory, also where hosts of several share a machine.
std::filesystem::path seen_file(const config::Settings& settings) {
  if (settings.state_dir.empty()) return {};
  return std::filesystem::path(settings.state_dir) /
         ("database-" + sha256_hex(settings.postgres_url).substr(0, name_digits) + ".seen");
}

}  // namespace

DatabaseWatch::DatabaseWatch(const config::Settings& settings)
    : database_(database(settings)), continuity_(seen_file(settings)) {
  check();
}

void DatabaseWatch::check() {
  try {
    store::Connection connection(database_);
    if (const auto problem = continuity_.judge(connection); !problem.empty())
      throw config::ConfigError(problem);
  } catch (const store::DbError&) { return; }  // the start waits for it, and looks again
}

void DatabaseWatch::start(store::Pool& pool) {
  check();
  thread_ = Worker("database", [this, &pool](const std::stop_token& stop) { run(stop, pool); });
}

void DatabaseWatch::run(const std::stop_token& stop, store::Pool& pool) {
  std::unique_lock lock(mutex_);
  for (bool last = false; !last;) {
    never_.wait_for(lock, stop, look_every, [] { return false; });
    last = stop.stop_requested();  // and looks once more: that is what the next start compares with
    try {
      auto connection = pool.acquire();
      const auto problem = continuity_.judge(*connection);
      if (problem.empty()) continue;
      log_error("database", problem + ". This host ends now");
      service::status(problem);
      std::_Exit(exit_config);  // nothing more may be written; what is under way is asked for afterwards
    } catch (const store::DbError&) {}  // others say so
  }
}

}  // namespace orderd
