#include "admin/switches.h"

#include <algorithm>

#include "model/json.h"

namespace orderd::admin {
namespace {

constexpr store::Statement read_switches{"admin_switches",
                                         "select name, since, actor, reason from switches order by name"};
constexpr store::Statement pause{
    "admin_pause",
    "insert into switches (name, actor, reason) values ($1, $2, $3) on conflict (name) do nothing"};
constexpr store::Statement resume{"admin_resume", "delete from switches where name = $1"};
// Hosts report every ten seconds.
constexpr store::Statement read_states{
    "admin_plugin_states",
    "select instance, case when bool_or(breaker = 'open') then 'open' when bool_or(breaker = 'half_open') "
    "then 'half_open' else 'closed' end, sum(parked)::int8, count(*), "
    "min(since) filter (where breaker <> 'closed') from plugin_status "
    "where seen > now() - interval '30 seconds' group by instance"};

bool is_known(const std::vector<Switch>& all, const std::string& name) {
  return std::any_of(all.begin(), all.end(), [&](const Switch& one) { return one.name == name; });
}

}  // namespace

bool is_switch(const std::string& name, const std::vector<std::string>& instances) {
  return name == "intake" || name == "captures" ||
         std::any_of(instances.begin(), instances.end(),
                     [&](const std::string& instance) { return name == "plugin:" + instance; });
}

std::vector<Switch> switches(store::Connection& connection, const std::vector<std::string>& instances) {
  std::vector<Switch> all{{"intake", false, {}, {}, {}}, {"captures", false, {}, {}, {}}};
  for (const std::string& instance : instances) all.push_back({"plugin:" + instance, false, {}, {}, {}});
  const auto rows = connection.run(read_switches);
  for (int i = 0; i < rows.size(); ++i) {
    const std::string name(rows.bytes(i, 0));
    if (!is_known(all, name)) all.push_back({name, false, {}, {}, {}});
    for (Switch& one : all)
      if (one.name == name)
        one = {name, true, rows.time(i, 1), std::string(rows.bytes(i, 2)), std::string(rows.bytes(i, 3))};
  }
  return all;
}

bool set_switch(store::Connection& connection, const SwitchWish& wish) {
  store::UnitOfWork work(connection);
  const auto rows =
      wish.paused
          ? work.run(pause, std::move(store::Args().text(wish.name).text(wish.actor).text(wish.reason)))
          : work.run(resume, std::move(store::Args().text(wish.name)));
  if (rows.affected() == 0) return false;
  std::string data;
  json::Object object(data);
  object.raw("by", wish.actor_data).end();
  auth::write_audit(
      work, {wish.actor, wish.paused ? "switch.pause" : "switch.resume", wish.name, wish.reason, data});
  work.commit();
  return true;
}

std::map<std::string, PluginState> plugin_states(store::Connection& connection) {
  std::map<std::string, PluginState> out;
  const auto rows = connection.run(read_states);
  for (int i = 0; i < rows.size(); ++i)
    out[std::string(rows.bytes(i, 0))] = {std::string(rows.bytes(i, 1)), rows.integer(i, 2),
                                          rows.integer(i, 3), rows.optional_time(i, 4)};
  return out;
}

std::string held_back(store::Connection& connection, const std::string& instance, const std::string& action) {
  for (const Switch& one : switches(connection, {})) {
    const bool holds =
        one.name == "plugin:" + instance || (one.name == "captures" && action == "payment.capture");
    if (one.paused && holds) return "an operator paused " + one.name + " (" + one.reason + ")";
  }
  const auto states = plugin_states(connection);
  const auto state = states.find(instance);
  if (state == states.end() || state->second.breaker == "closed") return "";
  return "the provider behind " + instance + " cannot be reached at the moment";
}

}  // namespace orderd::admin
