#pragma once
// What a start finds in the database: the schema, the role's rights, or no answer.
#include <stdexcept>

#include "config/settings.h"
#include "plugin_host/loading/registry.h"
#include "plugin_rollout/rollout_controller.h"
#include "saga/core/definition.h"
#include "store/secret_box.h"

namespace orderd {

/// PostgreSQL will not have us, however long we wait.
struct NoPermission : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws config::ConfigError for a database that orderd cannot work on, a schema that this program does not
/// fit, or another key, and NoPermission; does nothing while the database cannot be reached. Logs a warning
/// for what puts orders at risk and does not keep the host from starting.
void refuse_unfit_database(const config::Settings& settings, const saga::Definition& definition,
                           const store::SecretBox& box);

/// Waits for the database, saying so, refuses one that is unfit, and brings the plugins' tables up to date.
/// False: asked to stop meanwhile.
bool wait_for_schema(const config::Settings& settings, const store::SecretBox& box,
                     plugins::Registry& registry, rollout::RolloutController& rollout);

}  // namespace orderd
