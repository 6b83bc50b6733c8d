#include "plugin_rollout/rollout_controller.h"

#include <condition_variable>
#include <mutex>

#include "base/fault.h"
#include "base/log.h"
#include "store/database_clock.h"

namespace orderd::rollout {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds look_every{1000};
// An order that was given a build when it still was the present one has its row by then.
constexpr Millis chosen_for_sure{10'000};

constexpr store::Statement is_known{
    "swap_is_known", "select exists (select from plugin_builds where instance = $1 and digest = $2)"};
constexpr store::Statement know_build{
    "swap_know_build",
    "insert into plugin_builds (instance, digest, plugin, version, added_by) "
    "values ($1, $2, $3, $4, 'plugin.' || $1::text || '.library') "
    "on conflict (instance, digest) do update set state = case plugin_builds.state when 'retired' then "
    "'ready' "
    "else plugin_builds.state end"};
constexpr store::Statement first_decision{
    "swap_first_decision",
    "insert into plugin_current (instance, digest, file_digest, actor) values ($1, $2, $2, "
    "'plugin.' || $1::text || '.library') on conflict (instance) do nothing"};
constexpr store::Statement file_decision{
    "swap_file_decision",
    "update plugin_current c set previous = coalesce((select b.digest from plugin_builds b where "
    "b.instance = c.instance and b.digest = c.digest and b.ran_at is not null), c.previous), "
    "digest = $2, file_digest = $2, since = now(), actor = 'plugin.' || $1::text || '.library' "
    "where c.instance = $1 and c.digest <> $2"};
constexpr store::Statement read_current{
    "swap_current",
    "select c.instance, c.digest, coalesce(b.ran_at is not null, false) from plugin_current c "
    "left join plugin_builds b using (instance, digest)"};
// Live sagas are read only while a build that may end is still loaded.
constexpr store::Statement read_drained{
    "swap_drained",
    "select b.instance, b.digest from plugin_builds b where b.digest = any($1::text[]) "
    "and b.state in ('draining', 'retired') and not exists "
    "(select from sagas, jsonb_each_text(coalesce(data->'plugins', '{}')) p where p.value = b.digest "
    "and coalesce(data->'instances'->>p.key, b.instance) = b.instance) "
    "and not exists (select from plugin_current c where c.instance = b.instance and c.digest = b.digest)"};
constexpr store::Statement is_retired{
    "swap_is_retired",
    "update plugin_builds set state = 'retired' where instance = $1 and digest = $2 and state = 'draining'"};
constexpr store::Statement any_draining{"swap_any_draining",
                                        "select exists (select from plugin_builds where state = 'draining')"};
// No host has it, none is to have it: nobody else would say that it has ended.
constexpr store::Statement end_unloaded{
    "swap_end_unloaded",
    "update plugin_builds b set state = 'retired' where b.state = 'draining' "
    "and not exists (select from plugin_current c where c.instance = b.instance and c.digest = b.digest) "
    "and not exists (select from sagas, jsonb_each_text(coalesce(data->'plugins', '{}')) p "
    "where p.value = b.digest and coalesce(data->'instances'->>p.key, b.instance) = b.instance)"};
constexpr store::Statement has_run{
    "swap_has_run",
    "update plugin_builds b set ran_at = now() from unnest($1::text[], $2::text[]) u(i, d) "
    "where b.instance = u.i and b.digest = u.d and b.ran_at is null"};
constexpr store::Statement tell_loaded{
    "swap_tell",
    "insert into plugin_loaded (host, instance, digest, problem, seen) "
    "select $1, *, now() from unnest($2::text[], $3::text[], $4::text[]) "
    "on conflict (host, instance) do update set digest = excluded.digest, problem = excluded.problem, "
    "seen = excluded.seen"};
constexpr store::Statement forget_hosts{"swap_forget",
                                        "delete from plugin_loaded where seen < now() - interval '1 day'"};

}  // namespace

void RolloutController::begin(store::Connection& connection) {
  for (const plugins::BuildInfo& file : registry_.infos()) decide(connection, file);
  look(connection);
}

void RolloutController::take_changed_file(store::Connection& connection, const plugins::BuildInfo& present) {
  std::string problem;
  const std::string digest = registry_.builds().keep(present.file, problem);
  try {
    if (digest.empty()) throw plugins::PluginError(problem);
    if (files_[present.instance] == digest) return;
    registry_.add(present.instance, digest, connection, plugins::Registry::Older::no, true);
    for (plugins::BuildInfo& one : registry_.infos(true))
      if (one.instance == present.instance && one.digest == digest) decide(connection, one);
    return;
  } catch (const store::DbError& error) {
    if (error.connection_lost) throw;
    problem = error.what();
  } catch (const std::exception& error) { problem = error.what(); }
  log_error("swap", "a plugin's changed file cannot be used, the old build goes on",
            {{"instance", present.instance}, {"error", problem}});
}

/// What the configured file means for what new orders go to: a change since this host last saw it is a
/// decision, as an operator's is. A host that has no memory takes what no host has ever had for changed.
void RolloutController::decide(store::Connection& connection, const plugins::BuildInfo& file) {
  std::string problem;
  files_[file.instance] = file.digest;
  const plugins::BuildStore& store = registry_.builds();
  if (!store.find(file.digest) && store.keep(file.library, problem).empty())
    log_warning("swap", "a plugin's build cannot be kept for the orders that begin with it",
                {{"instance", file.instance}, {"store", problem}});
  const auto seen = store.seen(file.instance);
  const bool known =
      connection.run(is_known, store::Args().text(file.instance).text(file.digest)).boolean(0, 0);
  const bool changed = seen ? *seen != file.digest : !known;
  (void)connection.run(
      know_build, store::Args().text(file.instance).text(file.digest).text(file.plugin).text(file.version));
  (void)connection.run(first_decision, store::Args().text(file.instance).text(file.digest));
  if (changed || fault::mutation("file_undoes_switch"))
    (void)connection.run(file_decision, store::Args().text(file.instance).text(file.digest));
  store.saw(file.instance, file.digest);
}

void RolloutController::take_changed_files(store::Connection& connection) {
  try {
    for (const plugins::BuildInfo& one : registry_.infos()) take_changed_file(connection, one);
  } catch (...) {
    read_files_ = true;  // with the next connection
    throw;
  }
}

void RolloutController::look(store::Connection& connection) {
  store::measure_clock(connection);
  if (read_files_.exchange(false)) take_changed_files(connection);
  const auto rows = connection.run(read_current);
  for (int i = 0; i < rows.size(); ++i)
    follow(connection, std::string(rows.bytes(i, 0)), std::string(rows.bytes(i, 1)),
           rows.boolean(i, 2) ? plugins::Registry::Older::yes : plugins::Registry::Older::no);
  end_drained(connection);
  tell(connection);
}

void RolloutController::follow(store::Connection& connection, const std::string& instance,
                               const std::string& digest, plugins::Registry::Older older) {
  std::string problem;
  try {
    bool ours = false;
    for (const plugins::BuildInfo& one : registry_.infos()) {
      if (one.instance == instance && one.digest == digest) return void(problems_.erase(instance));
      ours |= one.instance == instance;
    }
    if (!ours) return;
    registry_.add(instance, digest, connection, older);
    registry_.use(instance, digest);
    problems_.erase(instance);
    return;
  } catch (const store::DbError& error) {
    if (error.connection_lost) throw;
    problem = error.what();
  } catch (const std::exception& error) { problem = error.what(); }
  if (std::exchange(problems_[instance], problem) != problem)
    log_error("swap", "a plugin's build cannot be used, the old one goes on",
              {{"instance", instance}, {"digest", digest}, {"error", problem}});
}

void RolloutController::end_drained(store::Connection& connection) {
  std::map<std::string, Time> idle;
  std::vector<std::string> ended;
  for (const plugins::BuildInfo& one : registry_.infos(true)) {
    if (one.current) continue;
    const auto known = idle_since_.find(one.instance + "@" + one.digest);
    const Time since = known == idle_since_.end() ? now() : known->second;
    idle[one.instance + "@" + one.digest] = since;
    if (now() - since > chosen_for_sure) ended.push_back(one.digest);
  }
  idle_since_ = std::move(idle);
  if (connection.run(any_draining).boolean(0, 0)) (void)connection.run(end_unloaded);
  if (ended.empty()) return;
  const auto rows = connection.run(read_drained, store::Args().texts(ended));
  for (int i = 0; i < rows.size(); ++i) {
    const std::string instance(rows.bytes(i, 0)), digest(rows.bytes(i, 1));
    if (!idle_since_.contains(instance + "@" + digest)) continue;
    registry_.retire(instance, digest);
    (void)connection.run(is_retired, store::Args().text(instance).text(digest));
  }
}

void RolloutController::tell(store::Connection& connection) {
  std::vector<std::string> instances, digests, problems;
  for (const plugins::BuildInfo& one : registry_.infos()) {
    instances.push_back(one.instance);
    digests.push_back(one.digest);
    const auto problem = problems_.find(one.instance);
    problems.push_back(problem == problems_.end() ? "" : problem->second);
  }
  (void)connection.run(tell_loaded,
                       store::Args().uuid(host_).texts(instances).texts(digests).texts(problems));
  (void)connection.run(has_run, store::Args().texts(instances).texts(digests));
  (void)connection.run(forget_hosts);
}

void RolloutController::run(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_ptr<store::Connection> connection;
  while (!stop.stop_requested()) {
    try {
      if (!connection || !connection->usable()) {
        connection.reset();
        connection = std::make_unique<store::Connection>(database_);
      }
      look(*connection);
    } catch (const store::DbError& error) {
      if (connection) log_warning("swap", "waits for PostgreSQL", {{"error", error.what()}});
      connection.reset();
    } catch (const std::exception& error) {
      log_error("swap", "a look at the plugins' builds failed", {{"error", error.what()}});
    }
    std::unique_lock lock(mutex);
    changed.wait_for(lock, stop, look_every, [] { return false; });
  }
}

}  // namespace orderd::rollout
