#pragma once
// The tables, and what apply() does with them in the host's transaction. All instances of the plugin share
// them; each endpoint is an instance, by its name.
#include <orderd/migrations.h>
#include <orderd/projection.hpp>

#include <set>
#include <string>
#include <vector>

namespace merchant_webhooks {

extern const char* const tables_sql;
extern const char* const seen_sql;  // when a host last had the endpoint

using orderd::sdk::EventView;
using orderd::sdk::Target;
using orderd::sdk::Transaction;
using orderd::sdk::Verdict;

struct Endpoint {
  std::string name;
  std::set<std::string> types;  // empty: all
  std::int64_t since_ms = 0;    // what happened before is no news to it
};

/// One verdict an event. Live events become deliveries; a rebuild only counts versions, so that nothing is
/// sent twice.
std::vector<Verdict> take(Transaction& tx, Target target, const Endpoint& endpoint,
                          const std::vector<EventView>& events);
void begin_rebuild(Transaction& tx, const std::string& endpoint);
void finish_rebuild(Transaction& tx, const std::string& endpoint);

}  // namespace merchant_webhooks
