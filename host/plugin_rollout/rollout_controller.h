#pragma once
// Replaces plugins while the host runs, as operators decide it in the database (admin/builds.h):
//
// 1. At the start each instance's library is copied into the store by its digest, so that orders which
//    begin with it can end with it. The file is a decision, too: one that was changed since this host last
//    saw it (a package was upgraded) is what new orders go to from then on; else what was decided stays, on
//    hosts with other files as well.
// 2. Once a second: what `plugin_current` names and is not loaded is tried in a process that may end, then
//    loaded beside the old build, started, and gets the new orders; what is draining and no order needs is
//    stopped. A build that cannot be loaded leaves everything as it is, and the reason stands in
//    `plugin_loaded`.
//
// begin(): main thread, between migrate() and start() of the registry. run(): a thread of its own.
#include <atomic>
#include <map>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/uuid.h"
#include "plugin_host/loading/registry.h"
#include "store/connection.h"

namespace orderd::rollout {

class RolloutController {
 public:
  RolloutController(store::ConnectionOptions database, plugins::Registry& registry, const Uuid& host)
      : database_(std::move(database)), registry_(registry), host_(host) {}
  /// Throws DbError; a build that cannot be loaded is logged, and the file's serves.
  void begin(store::Connection& connection);
  void run(std::stop_token stop);
  /// The libraries' files may have changed (SIGHUP): the next look takes them as a restart would. [any
  /// thread]
  void read_files() { read_files_ = true; }
  /// One look. Throws DbError.
  void look(store::Connection& connection);

 private:
  void decide(store::Connection& connection, const plugins::BuildInfo& file);
  void take_changed_files(store::Connection& connection);
  void take_changed_file(store::Connection& connection, const plugins::BuildInfo& present);
  void follow(store::Connection& connection, const std::string& instance, const std::string& digest,
              plugins::Registry::Older older);
  void end_drained(store::Connection& connection);
  void tell(store::Connection& connection);

  const store::ConnectionOptions database_;
  plugins::Registry& registry_;
  const Uuid host_;
  std::atomic<bool> read_files_{false};
  std::map<std::string, std::string> files_;     // digest of the file by instance, as it was last read
  std::map<std::string, std::string> problems_;  // by instance: why it does not use what it should
  std::map<std::string, Time> idle_since_;       // by instance@digest: loaded, and not the present one
};

}  // namespace orderd::rollout
