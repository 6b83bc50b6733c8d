#pragma once
// What `orderd` and `orderctl` make from the settings in the same way.
#include <memory>
#include <set>
#include <string>

#include "app/registry_plugins.h"
#include "bus/kafka/kafka_bus.h"
#include "config/settings.h"
#include "plugin_host/loading/registry.h"
#include "saga/engine/engine.h"
#include "store/connection.h"

namespace orderd {

extern const char* const version;          // "0.1.0"
inline constexpr std::int16_t shards = 8;  // rows of log_shard (migration 0001)

store::ConnectionOptions database(const config::Settings& settings);
/// The slot's instance: slot.<slot>, or else the slot's namesake.
std::string instance_of(const config::Settings& settings, const std::string& slot);
/// Where libraries may come from.
plugins::LibrarySource library_source(const config::Settings& settings);
/// Where builds of plugins are kept.
plugins::BuildStore build_store(const config::Settings& settings);
/// What the settings say of one instance, but for the extensions that it needs.
plugins::InstanceConfig instance_config(const std::string& name, const config::PluginSettings& plugin);
saga::Definition default_definition(const config::Settings& settings);
/// Instances that a slot or a route names. Other steps are there for orders that began with them.
/// Throws saga::RouteError.
std::set<std::string> instances_for_new_orders(const config::Settings& settings,
                                               const saga::Definition& definition);
/// What can be ordered: not the products of a stock that serves only orders of the past.
std::vector<plugins::CatalogPort*> catalogs_for_new_orders(const config::Settings& settings,
                                                           plugins::Registry& registry,
                                                           const saga::Definition& definition);
/// Loads every configured instance; throws plugins::PluginError. An instance that no slot and no route names
/// must be a projection, or a step for the orders that began with it.
std::unique_ptr<plugins::Registry> load_plugins(const config::Settings& settings,
                                                const saga::Definition& definition);
/// The plugin behind each slot where no route says otherwise: those of the definition, and those that only
/// orders in flight still name.
saga::Slots saga_slots(const config::Settings& settings, plugins::Registry& registry,
                       const saga::Definition& definition);
/// The same with the operator's routes, for the engine. Throws saga::RouteError, plugins::PluginError.
std::unique_ptr<saga::RegistryPlugins> saga_plugins(const config::Settings& settings,
                                                    plugins::Registry& registry,
                                                    const saga::Definition& definition);
bus::KafkaOptions kafka_options(const config::Settings& settings);
/// The slots of `definition`, and those that only other sagas of saga.dir have. Throws saga::DefinitionError.
std::set<std::string> slots_of_sagas(const config::Settings& settings, const saga::Definition& definition);
/// Throws what a start would find wrong with slots, routes and the bus; starts nothing.
void judge(const config::Settings& settings, plugins::Registry& registry, const saga::Definition& definition);
/// Consumers' names in `positions`: each bus counts its positions in its own way.
std::string consumer_name(const config::Settings& settings, const std::string& consumer);

}  // namespace orderd
