#pragma once
// All plugin instances of this host, from configuration to their end. Made by main before anything else
// starts.
//
// 1. The constructor loads every library, makes and initialises every instance, checks what each is needed
//    for. The first thing wrong is thrown as PluginError, one line: which plugin, which file, what, what to
//    do. Nothing is left half started: what was made is destroyed again.
// 2. migrate() brings the plugins' own tables up to date; start() starts the instances. One whose start()
//    fails is tried again, later and later; meanwhile its commands come back as RETRY, and all others
//    serve.
// 3. While it runs, add() loads another build of an instance beside the one that is there, and use() gives
//    it the new work. The old one stays for the orders that began with it, until retire().
// 4. stop() waits for what is in flight, then stops them; libraries stay mapped until the process ends.
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "plugin_host/loading/build.h"
#include "plugin_host/loading/build_store.h"
#include "plugin_host/loading/options.h"
#include "plugin_ports/catalog.h"
#include "plugin_ports/error.h"
#include "plugin_ports/projection.h"
#include "plugin_ports/step.h"
#include "plugin_ports/webhook.h"

namespace orderd::store {
class Connection;
struct Migration;
}  // namespace orderd::store

namespace orderd::plugins {

/// start(), stop() and the constructor: main thread. Ports: as their own comments say, and they live as long
/// as the registry. The rest: any thread.
class Registry {
 public:
  Registry(Options options, const std::vector<InstanceConfig>& configs);
  ~Registry();
  Registry(const Registry&) = delete;

  /// The instance's present build as a step; PluginError if there is no such instance or it is no step.
  StepPort& step(std::string_view instance);
  /// Every instance's present build that is a step.
  std::vector<StepPort*> steps();
  /// One build of it ("": the present one); nullptr if it is not on this host. One that is in the store is
  /// loaded on the registry's thread, which is waited for half a second. PluginError: that is not done, or it
  /// cannot be used; the next try is 10 s later, then twice that, up to 5 minutes.
  StepPort* step(std::string_view instance, const std::string& digest);
  /// Which of an order's builds works on: the present one, if it reads state blobs of that version, or else
  /// `digest`.
  std::string adopter(std::string_view instance, const std::string& digest, std::uint32_t state_version);
  /// Every instance that offers a projection, a catalog, in the order of the configuration.
  std::vector<ProjectionPort*> projections();
  std::vector<CatalogPort*> catalogs();
  /// The instance's reader of webhooks; nullptr if there is no such instance or it takes none.
  WebhookPort* webhook(std::string_view instance);
  std::vector<WebhookPort*> webhooks();

  /// What plugins want in the database, by the owner "plugin:<name>".
  std::map<std::string, std::vector<store::Migration>> migrations() const;
  /// Brings every plugin's own tables up to date: store::migrate() with the owner "plugin:<name>".
  void migrate(store::Connection& connection);
  /// Starts every instance.
  void start(const CompletionSink& sink);
  /// Instances whose start() has not succeeded yet, and why.
  std::map<std::string, std::string> not_started() const;
  void stop();

  /// Loads the build from the store beside those that are there, brings its tables up to date, and starts it
  /// if the others are started. PluginError: it is not in the store, or cannot be used; the same again
  /// without a try, until it is time for the next one, or `at_once`. `older`: one that has run before may
  /// know fewer settings than are configured now.
  enum class Older { no, yes };
  void add(std::string_view instance, const std::string& digest, store::Connection& connection,
           Older older = Older::no, bool at_once = false);
  /// New work of the instance goes to this build; it must have every port that the present one has.
  void use(std::string_view instance, const std::string& digest);
  /// Stops a build that no order needs any more; not the present one. It stays mapped.
  void retire(std::string_view instance, const std::string& digest);

  /// The present builds, or all that run, for the console and the log.
  std::vector<BuildInfo> infos(bool all = false) const;
  const BuildStore& builds() const { return store_; }

 private:
  struct Entry;
  struct Tried;
  struct Unstarted;
  Entry* find(std::string_view instance) const;
  Build* load(Entry& entry, const std::string& digest, store::Connection* connection, Older older);
  Build* wish(Entry& entry, const std::string& digest);
  void work(std::stop_token stop);  // worker_
  void load_wished(Entry& entry, const std::string& digest);
  void start_again(Unstarted& one);
  void wake_worker();  // mutex_ is held
  std::stop_source ends_;
  const Options options_;
  const BuildStore store_;
  std::vector<std::unique_ptr<Entry>> entries_;  // constant after construction
  CompletionSink sink_;                          // set once it is started; guarded by mutex_
  mutable std::mutex mutex_;                     // of the entries' builds
  std::mutex loading_;                           // one build at a time; taken before mutex_
  std::condition_variable_any changed_;
  std::deque<std::pair<Entry*, std::string>> wishes_;  // guarded by mutex_
  std::list<Unstarted> unstarted_;                     // guarded by mutex_; only the worker takes out of it
  std::jthread worker_;  // made when there is something to do; guarded by mutex_
};

}  // namespace orderd::plugins
