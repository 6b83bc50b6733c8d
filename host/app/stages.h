#pragma once
// The consumers of the log on this host, each with its thread.
#include <functional>
#include <memory>
#include <vector>

#include "admin/verify.h"
#include "app/bus.h"
#include "app/registry_plugins.h"
#include "base/worker.h"
#include "config/settings.h"
#include "plugin_host/loading/registry.h"
#include "plugin_rollout/rollout_controller.h"
#include "projection/projector.h"
#include "reconcile/sweeper.h"
#include "relay/relay.h"
#include "saga/engine/engine.h"
#include "saga/storage/postgres.h"
#include "store/secret_box.h"

namespace orderd {

/// Owned by serve(), as all that is given by reference. [main thread]
class Stages {
 public:
  Stages(const config::Settings& settings, Bus& bus, plugins::Registry& registry,
         const saga::Definition& definition, const store::SecretBox& box, const Uuid& host);
  /// Where the outcomes of external commands go.
  plugins::CompletionSink sink();
  /// What SIGHUP changes of the routes; throws for rules that make no sense.
  void reroute(const config::Settings& settings);
  void start(rollout::RolloutController& rollout);
  /// They begin to finish what is in flight.
  void begin_stop();
  /// Waits for their ends, in the order of the flow.
  void stop();

 private:
  void run(const char* part, Worker::Work work) { threads_.emplace_back(part, std::move(work)); }
  outbox::LeaseOptions lease(const std::string& consumer) const;
  void make_saga(plugins::Registry& registry, const saga::Definition& definition,
                 const store::SecretBox& box);
  void make_sweeper(plugins::Registry& registry);

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
  std::vector<Worker> threads_;
};

}  // namespace orderd
