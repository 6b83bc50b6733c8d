#include "app/stages.h"

#include "app/wiring.h"

namespace orderd {

Stages::Stages(const config::Settings& settings, Bus& bus, plugins::Registry& registry,
               const saga::Definition& definition, const store::SecretBox& box, const Uuid& host)
    : settings_(settings), bus_(bus), host_(host) {
  if (settings.roles.contains("saga")) make_saga(registry, definition, box);
  for (plugins::ProjectionPort* port : registry.projections())
    if (settings.roles.contains("projection"))
      projectors_.push_back(std::make_unique<projection::Projector>(
          database(settings), lease("projection:" + port->instance()),
          bus.events->subscribe("projection-" + port->instance()), *port));
  if (settings.roles.contains("relay") && bus.kafka)
    relay_ = std::make_unique<relay::Relay>(database(settings), lease("relay"), bus.kafka->make_publisher());
}

plugins::CompletionSink Stages::sink() {
  return [this](Completion completion) {
    if (sweeper_ && sweeper_->take(completion)) return;
    if (engine_) engine_->complete(std::move(completion));
  };
}

void Stages::reroute(const config::Settings& settings) {
  if (saga_plugins_) saga_plugins_->set_routes(saga::parse_routes(settings.routes));
}

void Stages::start(rollout::RolloutController& rollout) {
  run("swap", [&rollout](std::stop_token stop) { rollout.run(stop); });
  if (relay_) run("relay", [this](std::stop_token stop) { relay_->run(stop); });
  if (engine_) watch_ = std::make_unique<admin::Watch>(database(settings_));
  if (engine_) run("saga", [this](std::stop_token stop) { engine_->run(stop); });
  if (sweeper_) run("reconcile", [this](std::stop_token stop) { sweeper_->run(stop); });
  for (auto& one : projectors_) run("projection", [&one](std::stop_token stop) { one->run(stop); });
}

void Stages::begin_stop() {
  for (auto& thread : threads_) thread.request_stop();
}

void Stages::stop() {
  begin_stop();
  threads_.clear();
  watch_.reset();
}

outbox::LeaseOptions Stages::lease(const std::string& consumer) const {
  return {consumer_name(settings_, consumer), host_, settings_.lease_ms};
}

void Stages::make_saga(plugins::Registry& registry, const saga::Definition& definition,
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

void Stages::make_sweeper(plugins::Registry& registry) {
  if (settings_.reconcile_interval_s == 0) return;
  reconcile::Options options{database(settings_)};
  options.interval = std::chrono::seconds(settings_.reconcile_interval_s);
  sweeper_ = std::make_unique<reconcile::Sweeper>(options, [&registry] { return registry.steps(); });
}

}  // namespace orderd
