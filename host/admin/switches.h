#pragma once
// What a person paused (the table `switches`), and what hosts say of their plugins (`plugin_status`).
// `intake` keeps new orders out, `captures` holds captures back, `plugin:<instance>` all calls of one
// instance; hosts look once a second. [the connection's thread]
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "auth/audit.h"
#include "base/clock.h"
#include "store/connection.h"

namespace orderd::admin {

struct Switch {
  std::string name;
  bool paused = false;
  std::optional<Time> since;
  std::string actor, reason;  // of who paused it
};
/// All that there can be, with those of `instances`, and whatever else is paused.
std::vector<Switch> switches(store::Connection& connection, const std::vector<std::string>& instances);
bool is_switch(const std::string& name, const std::vector<std::string>& instances);

struct SwitchWish {
  std::string name;
  bool paused = true;
  std::string actor, reason, actor_data = "{}";
};
/// With a row in audit_log. False: it was so already.
bool set_switch(store::Connection& connection, const SwitchWish& wish);

/// The worst of what hosts say of an instance's breaker, and how many sagas wait for it on all of them.
struct PluginState {
  std::string breaker = "closed";  // closed, half_open, open
  std::int64_t parked = 0, hosts = 0;
  std::optional<Time> since;
};
std::map<std::string, PluginState> plugin_states(store::Connection& connection);

/// Why `action` does not go out to `instance` at the moment, for people; "" if nothing holds it back.
std::string held_back(store::Connection& connection, const std::string& instance, const std::string& action);

}  // namespace orderd::admin
