#pragma once
// The operators' routes of this host.
#include "http/api.h"
#include "saga/core/definition.h"
#include "store/pool.h"

namespace orderd::config {
struct Settings;
}

namespace orderd {

/// What operators' routes ask of this host's plugins. Everything given outlives the parts.
http::AdminParts admin_parts(const config::Settings& settings, plugins::Registry& registry,
                             const saga::Definition& definition, store::Pool& pool);

}  // namespace orderd
