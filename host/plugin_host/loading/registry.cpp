#include "plugin_host/loading/registry.h"

#include <algorithm>
#include <set>

#include "base/log.h"
#include "plugin_host/isolation/process.h"
#include "plugin_host/isolation/trial.h"
#include "plugin_host/loading/registry_entry.h"
#include "store/migrations.h"

namespace orderd::plugins {

namespace {

using Migrations = std::map<std::string, std::vector<store::Migration>>;

/// What `old` does and `fresh` does not, or "".
std::string lacks(Build& old, Build& fresh) {
  if (old.step() && !fresh.step()) return "is a step of sagas";
  if (old.step() && old.step()->transactional() != fresh.step()->transactional())
    return old.step()->transactional() ? "works in the host's transaction"
                                       : "works outside of the host's transaction";
  if (old.webhook() && !fresh.webhook()) return "takes webhooks";
  if (old.projection() && !fresh.projection()) return "is a projection";
  return old.catalog() && !fresh.catalog() ? "has products" : "";
}

void add_migrations(Build& build, Migrations& all) {
  auto list = build.migrations();
  if (list.empty()) return;
  auto& migrations = all["plugin:" + build.info().plugin];
  if (list.size() > migrations.size()) migrations = std::move(list);  // the newest build knows all
}

void apply_all(const Migrations& all, store::Connection& connection) {
  for (const auto& [owner, migrations] : all)
    for (const auto& applied : store::migrate(connection, owner, migrations, store::Newer::accepted))
      log_info("plugin", "applied a migration",
               {{"owner", owner}, {"number", std::to_string(applied.number)}});
}

Options whole(Options options, const std::stop_source& ends) {
  if (!options.runner) options.runner = isolation::open_runner();
  options.host_ends = ends.get_token();
  return options;
}

}  // namespace

Registry::Registry(Options options, const std::vector<InstanceConfig>& configs)
    : options_(whole(std::move(options), ends_)), store_(options_.store, options_.trust) {
  std::set<std::string> names;
  for (const InstanceConfig& config : configs) {
    if (!names.insert(config.name).second)
      throw PluginError("plugin \"" + config.name +
                        "\" is configured twice; give each instance a name of its own");
    auto entry = std::make_unique<Entry>(config);
    entry->builds.push_back(
        make_build(config, {options_.directory, options_.trust}, config.library, "", options_));
    entry->current = entry->builds.front().get();
    entries_.push_back(std::move(entry));
  }
}

Registry::~Registry() {
  stop();
  for (auto& entry : entries_)
    for (auto* builds : {&entry->builds, &entry->retired})
      for (auto& build : *builds)
        if (build->stuck()) (void)build.release();  // its thread may still return into it
  while (!entries_.empty()) entries_.pop_back();
}

Registry::Entry* Registry::find(std::string_view name) const {
  for (const auto& entry : entries_)
    if (entry->config.name == name) return entry.get();
  return nullptr;
}

StepPort& Registry::step(std::string_view name) {
  Entry* entry = find(name);
  if (!entry) unknown_instance(name);
  if (!entry->current.load()->step())
    fail(entry->config.name, entry->current.load()->info().library, "it is no step of a saga",
         "configure a plugin that has orderd.step/1");
  return entry->step;
}

std::vector<StepPort*> Registry::steps() {
  std::vector<StepPort*> out;
  for (const auto& entry : entries_)
    if (StepPort* step = entry->current.load()->step()) out.push_back(step);
  return out;
}

StepPort* Registry::step(std::string_view name, const std::string& digest) {
  Entry* entry = find(name);
  if (!entry) return nullptr;
  if (digest.empty()) return entry->current.load()->step();
  Build* build = wish(*entry, digest);
  return build ? build->step() : nullptr;
}

std::string Registry::adopter(std::string_view name, const std::string& digest, std::uint32_t version) {
  Entry* entry = find(name);
  if (!entry) return digest;
  Build& current = *entry->current.load();
  const auto [oldest, newest] = current.state_versions();
  return version == 0 || (oldest <= version && version <= newest) ? current.digest() : digest;
}

std::vector<ProjectionPort*> Registry::projections() {
  std::vector<ProjectionPort*> found;
  for (const auto& entry : entries_)
    if (entry->current.load()->projection()) found.push_back(&entry->projection);
  return found;
}

std::vector<CatalogPort*> Registry::catalogs() {
  std::vector<CatalogPort*> found;
  for (const auto& entry : entries_)
    if (entry->current.load()->catalog()) found.push_back(&entry->catalog);
  return found;
}

WebhookPort* Registry::webhook(std::string_view name) {
  Entry* entry = find(name);
  return entry && entry->current.load()->webhook() ? &entry->webhook : nullptr;
}

std::vector<WebhookPort*> Registry::webhooks() {
  std::vector<WebhookPort*> found;
  for (const auto& entry : entries_)
    if (entry->current.load()->webhook()) found.push_back(&entry->webhook);
  return found;
}

std::map<std::string, std::vector<store::Migration>> Registry::migrations() const {
  std::lock_guard lock(mutex_);
  Migrations all;
  for (const auto& entry : entries_)
    for (const auto& build : entry->builds) add_migrations(*build, all);
  return all;
}

void Registry::migrate(store::Connection& connection) { apply_all(migrations(), connection); }

/// nullptr: it is not on this host. With a connection its tables are brought up to date before it starts.
/// Loading takes its time; whoever asks for a build that is there does not wait for it.
Build* Registry::load(Entry& entry, const std::string& digest, store::Connection* connection, Older older) {
  const auto known = [&] {
    std::lock_guard lock(mutex_);
    return entry.find(digest);
  };
  if (Build* build = known()) return build;
  std::lock_guard one_at_a_time(loading_);
  if (Build* build = known()) return build;
  const auto file = store_.find(digest);
  if (!file) return nullptr;
  InstanceConfig config = entry.config;
  config.older = older == Older::yes;
  const bool tries_out = connection && !entry.config.isolated;
  if (tries_out) isolation::try_out(config, store_.source(), *file, digest, options_, isolation::Until::made);
  auto build = make_build(config, store_.source(), *file, digest, options_);
  Migrations all;
  add_migrations(*build, all);
  if (connection) apply_all(all, *connection);
  CompletionSink sink;
  {
    std::lock_guard lock(mutex_);
    sink = sink_;
  }
  if (sink && tries_out)
    isolation::try_out(config, store_.source(), *file, digest, options_, isolation::Until::started);
  if (sink) build->start(sink);
  std::lock_guard lock(mutex_);
  return entry.builds.emplace_back(std::move(build)).get();
}

void Registry::use(std::string_view name, const std::string& digest) {
  Entry* entry = find(name);
  if (!entry) unknown_instance(name);
  std::lock_guard lock(mutex_);
  Build& old = *entry->current.load();
  Build* fresh = entry->find(digest);
  if (!fresh) throw PluginError("plugin \"" + std::string(name) + "\": build " + digest + " is not loaded");
  if (const std::string lacking = lacks(old, *fresh); !lacking.empty())
    fail(entry->config.name, fresh->info().library, "it cannot replace the present build, which " + lacking,
         "configure an instance of its own for it");
  if (&old == fresh) return;
  entry->current = fresh;
  log_info("plugin", "new work goes to another build",
           {{"instance", entry->config.name}, {"digest", digest}, {"before", old.digest()}});
}

void Registry::retire(std::string_view name, const std::string& digest) {
  Entry* entry = find(name);
  if (!entry) unknown_instance(name);
  std::unique_ptr<Build> build;
  {
    std::lock_guard lock(mutex_);
    Build* found = entry->find(digest);
    if (!found || found == entry->current.load()) return;
    const auto at = std::find_if(entry->builds.begin(), entry->builds.end(),
                                 [&](const auto& one) { return one.get() == found; });
    const auto is_found = [&](const Unstarted& one) { return one.build == found; };
    if (std::any_of(unstarted_.begin(), unstarted_.end(), is_found)) return;  // the worker may be at it
    build = std::move(*at);
    entry->builds.erase(at);
  }
  (void)build->stop();
  log_info("plugin", "stopped a build that no order needs",
           {{"instance", entry->config.name}, {"digest", digest}});
  std::lock_guard lock(mutex_);
  entry->retired.push_back(std::move(build));
}

std::vector<BuildInfo> Registry::infos(bool all) const {
  std::lock_guard lock(mutex_);
  std::vector<BuildInfo> infos;
  for (const auto& entry : entries_)
    for (const auto& build : entry->builds)
      if (const bool current = build.get() == entry->current.load(); current || all) {
        infos.push_back(build->info());
        infos.back().current = current;
        infos.back().file = (options_.directory / entry->config.library).string();
      }
  return infos;
}

}  // namespace orderd::plugins
