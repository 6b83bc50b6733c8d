#pragma once
// What the configuration means for the database that it names, before a host is started with it.
#include <string>
#include <vector>

#include "admin/needed.h"
#include "config/settings.h"
#include "saga/core/definition.h"
#include "store/connection.h"
#include "store/fitness.h"

namespace orderd {

/// Plugin instances that no new order goes to and orders of the past need.
struct PastInstances {
  std::vector<admin::Need> missing;  // not in the configuration: their orders cannot end, nor be cancelled
  std::vector<admin::Need> kept;     // in it, for those orders alone
};
/// Throws DbError.
PastInstances past_instances(store::Connection& connection, const config::Settings& settings,
                             const saga::Definition& definition);
/// What to do about a missing one.
std::string fix_for_missing(const admin::Need& need);

/// Lines for people about what is no error. Throws config::ConfigError for a database that orderd cannot work
/// on, and for an instance that is not in the configuration while orders in flight need it. A database that
/// cannot be reached, or has no schema yet, is judged by the next start.
std::vector<std::string> judge_database(const config::Settings& settings, const saga::Definition& definition);

}  // namespace orderd
