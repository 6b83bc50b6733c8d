#pragma once
// Builds of plugins, as operators handle them: which there are, which one new orders go to, which is still
// needed. Hosts look once a second (plugin_rollout/rollout_controller.h). [the connection's thread]
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "auth/audit.h"
#include "base/clock.h"
#include "store/connection.h"

namespace orderd::admin {

struct BuildRow {
  std::string instance, digest, plugin, version;
  Time added_at{};
  std::string added_by;
  std::string state;        // ready, draining, retired
  bool current = false;     // new orders go to it
  bool previous = false;    // a rollback goes back to it
  std::int64_t orders = 0;  // in flight that it serves
  std::int64_t hosts = 0;   // that send new orders to it, by what they said in the last ten seconds
  std::string problem;      // of a host that should and does not
};
/// All of them, or one instance's, by instance and time.
std::vector<BuildRow> builds(store::Connection& connection, const std::string& instance = "");

/// Who asks, and why; goes into audit_log.
struct BuildRequest {
  std::string instance, digest;  // the digest may be cut short, as long as it names one build
  std::string actor, reason, actor_data = "{}";
};
/// What became of a wish, for people.
struct BuildAnswer {
  enum class Kind { done, unknown, refused };
  Kind kind = Kind::done;
  std::string digest;  // in full
  std::string text;    // what happens now, or why not
};
/// Makes a build known. It must be in the store of each host that is to use it.
BuildAnswer add_build(store::Connection& connection, const BuildRequest& wish, const std::string& plugin,
                      const std::string& version);
/// New orders go to this build; those in flight stay where they are.
BuildAnswer switch_build(store::Connection& connection, const BuildRequest& wish);
/// ... to the one before; `wish.digest` is not read.
BuildAnswer roll_back(store::Connection& connection, const BuildRequest& wish);
/// A host that runs, and whether new orders of it go to the build that was decided on.
struct HostOfBuild {
  std::string host;
  bool uses = false;
  std::string problem;  // why not, as the host said since the decision; "": it has not come to it yet
};
/// `since`: how long ago it was decided.
std::vector<HostOfBuild> hosts_of(store::Connection& connection, const std::string& instance,
                                  const std::string& digest, Millis since);
/// The build is stopped on every host as soon as no order in flight needs it; refused for the present one.
/// `now`: refused as well while an order needs it.
BuildAnswer drain_build(store::Connection& connection, const BuildRequest& wish, bool now = false);

}  // namespace orderd::admin
