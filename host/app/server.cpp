#include "app/server.h"

#include <atomic>
#include <iostream>

#include "app/admin_parts.h"
#include "app/database_check.h"
#include "app/database_start.h"
#include "app/database_watch.h"
#include "app/options.h"
#include "app/stages.h"
#include "app/stop_limit.h"
#include "app/wiring.h"
#include "base/counted.h"
#include "base/log.h"
#include "base/service.h"
#include "base/survive.h"
#include "base/troubles.h"
#include "catalog/product_source.h"
#include "health/database_probe.h"
#include "http/api.h"
#include "outbox/log.h"
#include "outbox/wake_up.h"
#include "store/database_clock.h"
#include "store/pool.h"
#include "webhooks/receiver.h"

namespace orderd {
namespace {

constexpr std::chrono::hours partitions_every{1};

std::unique_ptr<auth::Keyring> make_keyring(const config::Settings& settings) {
  if (!settings.roles.contains("api")) return nullptr;
  if (settings.access_keys == "required") return std::make_unique<auth::Keyring>(database(settings));
  log_warning("main",
              "access.keys = off: whoever reaches the API may read, place and cancel orders; /api/admin and "
              "/console answer on this machine only");
  return nullptr;
}

/// Orders are accepted and kept while Kafka or a plugin's build is away, so this host still serves.
std::vector<std::string> degraded_parts(const Bus& bus, const plugins::Registry& registry) {
  auto problems = bus.problems();
  if (const auto waiting = static_cast<std::int64_t>(saga::orders_without_build().Value()); waiting > 0)
    problems.push_back("plugins: " + counted(waiting, "order") +
                       " kept for a build that does not serve here");
  for (const std::string& line : troubles().list()) problems.push_back(line);
  for (const auto& [instance, problem] : registry.not_started())
    problems.push_back("plugins: " + instance + " has not started yet and is tried again: " + problem);
  if (const auto clock = store::clock_problem(); !clock.empty()) problems.push_back(clock);
  return problems;
}

std::vector<std::string> missing_parts(bool started, const health::DatabaseProbe& probe) {
  if (!started) return {"starting: the database or its schema is not ready, see the log"};
  const auto problem = probe.problem();
  return problem.empty() ? std::vector<std::string>() : std::vector{problem};
}

/// What SIGHUP can change, besides what parts register themselves.
void apply_to_log(const config::Settings& settings) {
  set_log_format(settings.log_format);
  set_log_level(parse_log_level(settings.log_level));
}

std::unique_ptr<http::front::Front> open_front(const config::Settings& settings, http::Api& api) {
  auto front = std::make_unique<http::front::Front>(front_options(settings), api.factory(), api.renderer());
  log_info("main", "listening",
           {{"address", settings.http_address}, {"port", std::to_string(front->port())}});
  return front;
}

std::unique_ptr<http::front::Front> open_monitoring(const config::Settings& settings, http::Api& api) {
  if (settings.metrics_port == 0) return nullptr;
  return std::make_unique<http::front::Front>(monitoring_options(settings), api.health_factory());
}

void run_until_stopped(Reload& reload, const config::Settings& settings,
                       rollout::RolloutController& rollout) {
  for (auto request = service::Request::none; request != service::Request::stop;
       request = service::wait(partitions_every)) {
    if (request != service::Request::reload) {
      (void)survive("main", [&] { outbox::ensure_partitions(database(settings)); });
      continue;
    }
    reload.run();
    rollout.read_files();
  }
}

int say_good(const std::vector<std::string>& warnings) {
  for (const std::string& line : warnings) std::cerr << "warning: " << line << "\n";
  return std::cout << "the configuration is good\n", 0;
}

}  // namespace

int serve(Reload& reload, const ServeOptions& options) {
  const config::Settings settings = reload.settings();
  apply_to_log(settings);
  reload.on("log.", apply_to_log);
  limit_stop(Millis(settings.drain_ms));
  reload.on("drain_ms", [](const config::Settings& fresh) { limit_stop(Millis(fresh.drain_ms)); });
  const auto box = store::SecretBox::from_file(settings.secrets_key_file);
  const auto definition = default_definition(settings);
  const auto registry = load_plugins(settings, definition);
  judge(settings, *registry, definition);
  if (options.only_check) return say_good(judge_database(settings, definition));
  // Before the port opens, and before parts speak of what they miss.
  refuse_unfit_database(settings, definition, box);
  Bus bus(settings);
  store::Pool pool(database_for_clients(settings), settings.postgres_connections);
  const health::DatabaseProbe probe(database(settings), [&pool] { pool.answered(); });
  DatabaseWatch database_watch(settings);
  std::atomic<bool> started{false};
  const auto not_ready = [&] { return missing_parts(started, probe); };
  const auto keyring = make_keyring(settings);  // outlives the streams, which ask it
  auto intake = std::make_unique<intake::Intake>(intake_options(settings), box);
  sse::Broadcaster broadcaster(*bus.events, pool, stream_options(settings));
  webhooks::Receiver webhooks;
  http::Api api({pool, *intake, broadcaster, box,
                 product_source(pool, catalogs_for_new_orders(settings, *registry, definition)), webhooks,
                 not_ready, settings.http_web_dir, [&] { return degraded_parts(bus, *registry); },
                 access_options(settings, keyring.get()),
                 admin_parts(settings, *registry, definition, pool)});
  reload.on("access.rate_", [&api](const config::Settings& fresh) {
    api.set_rate({fresh.access_rate_per_second, fresh.access_rate_burst});
  });
  const auto front = settings.roles.contains("api") ? open_front(settings, api) : nullptr;
  const auto monitoring = open_monitoring(settings, api);
  const Uuid host = Uuid::v7();
  rollout::RolloutController rollout(database(settings), *registry, host);
  if (!wait_for_schema(settings, box, *registry, rollout)) return 0;
  database_watch.start(pool);
  Stages stages(settings, bus, *registry, definition, box, host);
  reload.on("route.", [&stages](const config::Settings& fresh) { stages.reroute(fresh); });
  registry->start(stages.sink());
  webhooks.start(registry->webhooks(), pool);
  const outbox::WakeUp wake_up(pool);
  stages.start(rollout);
  started = true;
  options.on_started();
  log_info("main", "started", {{"bus", settings.bus}});
  service::ready();
  run_until_stopped(reload, settings, rollout);
  log_info("main", "stopping: finishing what is in flight");
  service::stopping();
  service::needs(drain_left() + stop_slack + std::chrono::seconds(2));
  broadcaster.close_all();
  stages.begin_stop();
  if (front) front->drain(drain_left());
  intake.reset();  // answers what still waits, while the API is there that its answers need
  webhooks.stop();
  stages.stop();
  registry->stop();
  log_info("main", "stopped");
  return 0;
}

}  // namespace orderd
