// orderd: the parts in the order of the flow (host/README.md), started one after the other, torn down in
// reverse.
#include <Poco/Util/ServerApplication.h>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <set>
#include <utility>

#include "access/keyring.h"
#include "admin/verify.h"
#include "base/counted.h"
#include "base/log.h"
#include "base/service.h"
#include "base/survive.h"
#include "base/troubles.h"
#include "bus/kafka/kafka_bus.h"
#include "bus/log_backed/log_backed_bus.h"
#include "bus/pglog/pglog_bus.h"
#include "config/settings.h"
#include "database_check.h"
#include "database_start.h"
#include "database_watch.h"
#include "health/database_probe.h"
#include "http/api.h"
#include "http/front/front.h"
#include "http/front/listener.h"
#include "intake/intake.h"
#include "operators.h"
#include "outbox/log.h"
#include "outbox/wake_up.h"
#include "products.h"
#include "projection/projector.h"
#include "reconcile/sweeper.h"
#include "relay/relay.h"
#include "reload.h"
#include "saga/engine.h"
#include "saga/pg_store.h"
#include "sse/broadcaster.h"
#include "stop_limit.h"
#include "store/database_clock.h"
#include "store/pool.h"
#include "store/secret_box.h"
#include "swap/keeper.h"
#include "webhooks/receiver.h"
#include "wiring.h"

extern char** environ;

namespace orderd {
namespace {

// sysexits.h
constexpr int exit_usage = 64, exit_unavailable = 69, exit_software = 70, exit_no_permission = 77,
              exit_config = 78;
constexpr std::chrono::hours partitions_every{1};

/// The event bus that the settings name, and the relay's way into it if it is not the outbox itself.
struct Bus {
  std::unique_ptr<bus::KafkaBus> kafka;
  std::unique_ptr<bus::EventBus> events;

  std::vector<std::string> problems() const {
    if (!kafka || kafka->last_problem().empty()) return {};
    return {"kafka: " + kafka->last_problem()};
  }

  explicit Bus(const config::Settings& settings) {
    if (settings.bus == "pglog") {
      events = std::make_unique<bus::PglogBus>(database(settings));
      return;
    }
    kafka = std::make_unique<bus::KafkaBus>(kafka_options(settings));
    events = std::make_unique<bus::LogBackedBus>(
        *kafka, bus::LogBackedOptions{database(settings), consumer_name(settings, "relay")});
  }
};

/// The consumers of the log on this host, each with its thread. Ends them in the order of the flow.
class Stages {
 public:
  Stages(const config::Settings& settings, Bus& bus, plugins::Registry& registry,
         const saga::Definition& definition, const store::SecretBox& box, const Uuid& host)
      : settings_(settings), bus_(bus), host_(host) {
    if (settings.roles.contains("saga")) make_saga(registry, definition, box);
    for (plugins::ProjectionPort* port : registry.projections())
      if (settings.roles.contains("projection"))
        projectors_.push_back(std::make_unique<projection::Projector>(
            database(settings), lease("projection:" + port->instance()),
            bus.events->subscribe("projection-" + port->instance()), *port));
    if (settings.roles.contains("relay") && bus.kafka)
      relay_ =
          std::make_unique<relay::Relay>(database(settings), lease("relay"), bus.kafka->make_publisher());
  }
  plugins::CompletionSink sink() {
    return [this](Completion completion) {
      if (sweeper_ && sweeper_->take(completion)) return;
      if (engine_) engine_->complete(std::move(completion));
    };
  }
  /// What SIGHUP changes of the routes; throws for rules that make no sense.
  void reroute(const config::Settings& settings) {
    if (saga_plugins_) saga_plugins_->set_routes(saga::parse_routes(settings.routes));
  }
  void start(swap::Keeper& keeper) {
    run("swap", [&keeper](std::stop_token stop) { keeper.run(stop); });
    if (relay_) run("relay", [this](std::stop_token stop) { relay_->run(stop); });
    if (engine_) watch_ = std::make_unique<admin::Watch>(database(settings_));
    if (engine_) run("saga", [this](std::stop_token stop) { engine_->run(stop); });
    if (sweeper_) run("reconcile", [this](std::stop_token stop) { sweeper_->run(stop); });
    for (auto& one : projectors_) run("projection", [&one](std::stop_token stop) { one->run(stop); });
  }
  /// They begin to finish what is in flight.
  void begin_stop() {
    for (auto& thread : threads_) thread.request_stop();
  }
  /// Waits for their ends.
  void stop() {
    begin_stop();
    threads_.clear();
    watch_.reset();
  }

 private:
  void run(const char* part, std::function<void(std::stop_token)> work) {
    threads_.emplace_back([part, work = std::move(work)](std::stop_token stop) {
      keep_running(part, stop, [&] { work(stop); });
    });
  }
  outbox::LeaseOptions lease(const std::string& consumer) const {
    return {consumer_name(settings_, consumer), host_, settings_.lease_ms};
  }
  void make_saga(plugins::Registry& registry, const saga::Definition& definition,
                 const store::SecretBox& box) {
    make_sweeper(registry);
    saga_plugins_ = saga_plugins(settings_, registry, definition);
    saga_store_ = std::make_unique<saga::PgStore>(database(settings_), lease("saga"), box);
    saga_orders_ = bus_.events->subscribe("saga");
    saga::EngineOptions options;
    options.drain_limit = Millis(settings_.drain_ms);
    engine_ = std::make_unique<saga::Engine>(options, *saga_store_, *saga_orders_, *saga_plugins_, definition,
                                             clock_);
  }

  void make_sweeper(plugins::Registry& registry) {
    if (settings_.reconcile_interval_s == 0) return;
    reconcile::Options options{database(settings_)};
    options.interval = std::chrono::seconds(settings_.reconcile_interval_s);
    sweeper_ = std::make_unique<reconcile::Sweeper>(options, [&registry] { return registry.steps(); });
  }

  const config::Settings& settings_;
  Bus& bus_;
  const Uuid host_;
  const SystemClock clock_;
  std::unique_ptr<saga::RegistryPlugins> saga_plugins_;
  std::unique_ptr<saga::PgStore> saga_store_;
  std::unique_ptr<bus::Subscription> saga_orders_;
  std::unique_ptr<saga::Engine> engine_;
  std::unique_ptr<reconcile::Sweeper> sweeper_;
  std::vector<std::unique_ptr<projection::Projector>> projectors_;
  std::unique_ptr<relay::Relay> relay_;
  std::unique_ptr<admin::Watch> watch_;
  std::vector<std::jthread> threads_;
};

std::unique_ptr<access::Keyring> make_keyring(const config::Settings& settings) {
  if (!settings.roles.contains("api")) return nullptr;
  if (settings.access_keys == "required") return std::make_unique<access::Keyring>(database(settings));
  log_warning("main",
              "access.keys = off: whoever reaches the API may read, place and cancel orders; /api/admin and "
              "/console answer on this machine only");
  return nullptr;
}

http::AccessOptions access_options(const config::Settings& settings, const access::Keyring* keyring) {
  http::AccessOptions options;
  options.keyring = keyring;
  options.rate = {settings.access_rate_per_second, settings.access_rate_burst};
  options.trusted_proxies = settings.http_trusted_proxies;
  options.cors_origins = settings.http_cors_origins;
  return options;
}

/// Orders are accepted and kept while Kafka or a plugin's build is away, so this host still serves.
std::vector<std::string> degraded_parts(const Bus& bus, const plugins::Registry& registry) {
  auto problems = bus.problems();
  if (const auto waiting = saga::orders_without_build().load(); waiting > 0)
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

class Server final : public Poco::Util::ServerApplication {
 public:
  int main(const std::vector<std::string>&) override;

 protected:
  void defineOptions(Poco::Util::OptionSet& options) override {
    using Poco::Util::Option;
    options.addOption(Option("config", "", "the properties file").argument("FILE"));
    options.addOption(Option("check-config", "", "load everything, start nothing"));
    options.addOption(Option("version", "", "print the version"));
    options.addOption(Option("help", "", "print this"));
  }
  void handleOption(const std::string& name, const std::string& value) override { given_[name] = value; }

 private:
  int serve(Reload& reload);
  bool started_ = false;
  std::map<std::string, std::string> given_;
};

int Server::main(const std::vector<std::string>& words) {
  if (given_.contains("version")) return std::cout << "orderd " << version << "\n", 0;
  if (given_.contains("help") || !words.empty())
    return std::cout << "usage: orderd --config=FILE [--check-config]\n",
           given_.contains("help") ? 0 : exit_usage;
  service::block_signals();
  int status = exit_config;
  // One line: what is wrong, where, what to do. Nothing is left half started: parts end with their scopes.
  std::string line;
  try {
    const auto file = given_.contains("config") ? given_["config"] : config::default_file().string();
    Reload reload(file, environ);
    return serve(reload);
  } catch (const http::front::PortInUse& error) {
    line = error.what(), status = exit_unavailable;
  } catch (const NoPermission& error) {
    line = error.what(), status = exit_no_permission;
  } catch (const std::exception& error) {
    line = error.what(), status = started_ ? exit_software : exit_config;
  }
  std::replace(line.begin(), line.end(), '\n', ' ');  // libpq's messages have several
  service::status(line);
  std::cerr << "orderd: " << line << "\n";
  return status;
}

/// What SIGHUP can change, besides what parts register themselves.
void apply_to_log(const config::Settings& settings) {
  set_log_format(settings.log_format);
  set_log_level(parse_log_level(settings.log_level));
}

/// Sessions whose answers clients wait for.
store::ConnectionOptions database_for_clients(const config::Settings& settings) {
  auto options = database(settings);
  options.answer_timeout_ms = 5'000;
  return options;
}

intake::IntakeOptions intake_options(const config::Settings& settings) {
  intake::IntakeOptions options;
  options.database = database_for_clients(settings);
  options.writers = settings.intake_writers;
  return options;
}

http::front::Options front_options(const config::Settings& settings) {
  http::front::Options options;
  options.address = settings.http_address;
  options.port = settings.http_port;
  options.workers = settings.http_workers;
  options.trusted_proxies = settings.http_trusted_proxies;
  options.workers_apart = std::max(1u, settings.http_workers / 4);
  options.lane_of = http::lane_of;
  options.unsent_bytes_max = std::size_t{settings.http_unsent_mb} << 20;
  options.unsent_bytes_per_address_max = std::size_t{settings.http_unsent_mb_per_address} << 20;
  return options;
}

sse::BroadcasterOptions stream_options(const config::Settings& settings) {
  sse::BroadcasterOptions options;
  options.streams_max = settings.http_streams;
  options.streams_per_client_max = settings.http_streams_per_client;
  return options;
}

std::unique_ptr<http::front::Front> open_front(const config::Settings& settings, http::Api& api) {
  auto front = std::make_unique<http::front::Front>(front_options(settings), api.factory(), api.renderer());
  log_info("main", "listening",
           {{"address", settings.http_address}, {"port", std::to_string(front->port())}});
  return front;
}

/// Health and numbers, on a port of their own.
std::unique_ptr<http::front::Front> open_monitoring(const config::Settings& settings, http::Api& api) {
  http::front::Options options;
  options.address = settings.http_address;
  options.port = settings.metrics_port;
  options.workers = 1;
  return std::make_unique<http::front::Front>(options, api.health_factory());
}

void run_until_stopped(Reload& reload, const config::Settings& settings, swap::Keeper& keeper) {
  for (auto wish = service::Wish::none; wish != service::Wish::stop; wish = service::wait(partitions_every)) {
    if (wish != service::Wish::reload) {
      (void)survive("main", [&] { outbox::ensure_partitions(database(settings)); });
      continue;
    }
    reload.run();
    keeper.read_files();
  }
}

int say_good(const std::vector<std::string>& warnings) {
  for (const std::string& line : warnings) std::cerr << "warning: " << line << "\n";
  return std::cout << "the configuration is good\n", 0;
}

int Server::serve(Reload& reload) {
  const config::Settings settings = reload.settings();
  apply_to_log(settings);
  reload.on("log.", apply_to_log);
  limit_stop(Millis(settings.drain_ms));
  reload.on("drain_ms", [](const config::Settings& fresh) { limit_stop(Millis(fresh.drain_ms)); });
  const auto box = store::SecretBox::from_file(settings.secrets_key_file);
  const auto definition = default_definition(settings);
  const auto registry = load_plugins(settings, definition);
  judge(settings, *registry, definition);
  if (given_.contains("check-config")) return say_good(judge_database(settings, definition));
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
  const auto monitoring = settings.metrics_port != 0 ? open_monitoring(settings, api) : nullptr;
  const Uuid host = Uuid::v7();
  swap::Keeper keeper(database(settings), *registry, host);
  if (!wait_for_schema(settings, box, *registry, keeper)) return 0;
  database_watch.start(pool);
  Stages stages(settings, bus, *registry, definition, box, host);
  reload.on("route.", [&stages](const config::Settings& fresh) { stages.reroute(fresh); });
  registry->start(stages.sink());
  webhooks.start(registry->webhooks(), pool);
  const outbox::WakeUp wake_up(pool);
  stages.start(keeper);
  started = started_ = true;
  log_info("main", "started", {{"bus", settings.bus}});
  service::ready();
  run_until_stopped(reload, settings, keeper);
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

}  // namespace
}  // namespace orderd

POCO_SERVER_MAIN(orderd::Server)
