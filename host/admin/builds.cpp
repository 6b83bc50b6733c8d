#include "admin/builds.h"

#include "model/json.h"

namespace orderd::admin {
namespace {

// Live sagas are few: what grows with finished orders is not read.
constexpr store::Statement read_builds{
    "admin_builds",
    "with needed as (select coalesce(data->'instances'->>p.key, '') as instance, p.value as digest, count(*) "
    "as orders from sagas, jsonb_each_text(coalesce(data->'plugins', '{}')) p group by 1, 2), "
    "told as (select instance, digest, count(*) as hosts from plugin_loaded "
    "where seen > now() - interval '10 seconds' group by 1, 2) "
    "select b.instance, b.digest, b.plugin, b.version, b.added_at, b.added_by, b.state, "
    "coalesce(c.digest = b.digest, false), coalesce(c.previous = b.digest, false), coalesce((select "
    "sum(orders)::int8 from needed n where n.digest = b.digest and n.instance in (b.instance, '')), 0), "
    "coalesce(t.hosts, 0), coalesce((select max(problem) from plugin_loaded l where l.instance = b.instance "
    "and c.digest = b.digest and l.seen > now() - interval '10 seconds'), '') "
    "from plugin_builds b left join plugin_current c using (instance) "
    "left join told t on t.instance = b.instance and t.digest = b.digest "
    "where $1 = '' or b.instance = $1 order by b.instance, b.added_at, b.digest"};
// A host looks and then tells, once a second: what it told a second after the decision is about that.
constexpr store::Statement read_hosts{
    "admin_hosts_of_build",
    "select host::text, digest = $2, case when seen > now() - make_interval(secs => ($3::int8 - 1100) / "
    "1000.0) then problem else '' end from plugin_loaded "
    "where instance = $1 and seen > now() - interval '3 seconds' order by host"};
constexpr store::Statement insert_build{
    "admin_add_build",
    "insert into plugin_builds (instance, digest, plugin, version, added_by) values ($1, $2, $3, $4, $5) "
    "on conflict (instance, digest) do update set state = 'ready'"};
constexpr store::Statement use_build{
    "admin_use_build",
    "update plugin_current c set previous = coalesce((select b.digest from plugin_builds b where "
    "b.instance = c.instance and b.digest = c.digest and b.ran_at is not null), c.previous), "
    "digest = $2, since = now(), actor = $3 where c.instance = $1 and c.digest <> $2"};
constexpr store::Statement set_state{
    "admin_build_state", "update plugin_builds set state = $3 where instance = $1 and digest = $2"};

/// The build that a digest, perhaps cut short, names; nullopt for none or several.
std::optional<BuildRow> find(const std::vector<BuildRow>& all, const std::string& digest) {
  constexpr std::size_t letters_min = 6;
  std::optional<BuildRow> found;
  if (digest.size() < letters_min) return found;
  for (const BuildRow& one : all) {
    if (!one.digest.starts_with(digest)) continue;
    if (found) return std::nullopt;
    found = one;
  }
  return found;
}

BuildAnswer unknown(const BuildRequest& wish) {
  return {BuildAnswer::Kind::unknown, wish.digest,
          "plugin " + wish.instance + " has no build " + wish.digest +
              ": `orderctl plugin list` shows those that it has"};
}

void audit(store::UnitOfWork& work, const BuildRequest& wish, const char* verb, const std::string& digest) {
  std::string data;
  json::Object object(data);
  object.add("digest", digest).raw("by", wish.actor_data).end();
  auth::write_audit(work, {wish.actor, verb, "plugin:" + wish.instance, wish.reason, data});
}

BuildAnswer use(store::Connection& connection, const BuildRequest& wish, const BuildRow& build,
                const char* verb) {
  if (build.current) return {BuildAnswer::Kind::done, build.digest, "new orders go to that build already"};
  store::UnitOfWork work(connection);
  (void)work.run(set_state, std::move(store::Args().text(wish.instance).text(build.digest).text("ready")));
  (void)work.run(use_build, std::move(store::Args().text(wish.instance).text(build.digest).text(wish.actor)));
  audit(work, wish, verb, build.digest);
  work.commit();
  return {BuildAnswer::Kind::done, build.digest,
          "new orders go to " + build.plugin + " " + build.version +
              " within 2 s; those in flight end with "
              "the build that they began with"};
}

}  // namespace

std::vector<BuildRow> builds(store::Connection& connection, const std::string& instance) {
  std::vector<BuildRow> out;
  const auto rows = connection.run(read_builds, store::Args().text(instance));
  const auto text = [&](int row, int column) { return std::string(rows.bytes(row, column)); };
  for (int i = 0; i < rows.size(); ++i)
    out.push_back({text(i, 0), text(i, 1), text(i, 2), text(i, 3), rows.time(i, 4), text(i, 5), text(i, 6),
                   rows.boolean(i, 7), rows.boolean(i, 8), rows.integer(i, 9), rows.integer(i, 10),
                   text(i, 11)});
  return out;
}

BuildAnswer add_build(store::Connection& connection, const BuildRequest& wish, const std::string& plugin,
                      const std::string& version) {
  store::UnitOfWork work(connection);
  (void)work.run(
      insert_build,
      std::move(
          store::Args().text(wish.instance).text(wish.digest).text(plugin).text(version).text(wish.actor)));
  audit(work, wish, "plugin.install", wish.digest);
  work.commit();
  return {BuildAnswer::Kind::done, wish.digest,
          plugin + " " + version + " is installed for " + wish.instance +
              "; `orderctl plugin switch` sends new orders to it"};
}

BuildAnswer switch_build(store::Connection& connection, const BuildRequest& wish) {
  const auto build = find(builds(connection, wish.instance), wish.digest);
  return build ? use(connection, wish, *build, "plugin.switch") : unknown(wish);
}

BuildAnswer roll_back(store::Connection& connection, const BuildRequest& wish) {
  for (const BuildRow& one : builds(connection, wish.instance))
    if (one.previous) return use(connection, wish, one, "plugin.rollback");
  return {BuildAnswer::Kind::refused, "", "plugin " + wish.instance + " had no other build before"};
}

std::vector<HostOfBuild> hosts_of(store::Connection& connection, const std::string& instance,
                                  const std::string& digest, Millis since) {
  std::vector<HostOfBuild> out;
  const auto rows = connection.run(read_hosts, store::Args().text(instance).text(digest).int8(since.count()));
  for (int i = 0; i < rows.size(); ++i)
    out.push_back({std::string(rows.bytes(i, 0)), rows.boolean(i, 1), std::string(rows.bytes(i, 2))});
  return out;
}

BuildAnswer drain_build(store::Connection& connection, const BuildRequest& wish, bool now) {
  const auto build = find(builds(connection, wish.instance), wish.digest);
  if (!build) return unknown(wish);
  if (build->current)
    return {BuildAnswer::Kind::refused, build->digest,
            "new orders go to that build: switch to another one first"};
  const std::string needed = std::to_string(build->orders) + " orders in flight need that build";
  if (now && build->orders > 0)
    return {BuildAnswer::Kind::refused, build->digest,
            needed + ": without --now it is stopped when they end"};
  store::UnitOfWork work(connection);
  (void)work.run(set_state,
                 std::move(store::Args().text(wish.instance).text(build->digest).text("draining")));
  audit(work, wish, "plugin.drain", build->digest);
  work.commit();
  return {BuildAnswer::Kind::done, build->digest,
          build->orders > 0 ? needed + "; it is stopped when they end" : "every host stops it within 15 s"};
}

}  // namespace orderd::admin
