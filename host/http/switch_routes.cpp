// GET and PUT /api/admin/switches, GET /api/admin/plugins: what is paused, and how plugins are.
#include <algorithm>

#include "admin/switches.h"
#include "http/operator.h"
#include "http/routes.h"

namespace orderd::http {
namespace {

void add_or_null(json::Object& object, const char* name, const std::string& text) {
  text.empty() ? object.raw(name, "null") : object.add(name, text);
}

std::string switch_json(const admin::Switch& one) {
  std::string out;
  json::Object object(out);
  object.add("name", one.name).add("paused", one.paused);
  add_or_null(object, "since", one.since ? to_rfc3339(*one.since) : "");
  add_or_null(object, "by", one.actor);
  add_or_null(object, "reason", one.reason);
  object.end();
  return out;
}

bool is_transactional(const ApiParts& parts, const std::string& instance) {
  return std::any_of(parts.admin.slots.begin(), parts.admin.slots.end(), [&](const auto& slot) {
    return slot.second.instance == instance && slot.second.transactional;
  });
}

/// Calls inside the host's own transactions are not held back: such an instance has no switch.
std::vector<std::string> instances_with_switch(const ApiParts& parts) {
  auto instances = parts.admin.step_instances();
  std::erase_if(instances, [&](const std::string& one) { return is_transactional(parts, one); });
  return instances;
}

Answer list(const ApiParts& parts, Call& call) {
  if (auto problem = authorize(call, Scope::ops_read)) return std::move(*problem);
  if (auto problem = refuse_other_than_json(call)) return std::move(*problem);
  auto connection = parts.pool.acquire();
  std::string body = "{\"data\":[";
  for (const auto& one : admin::switches(*connection, instances_with_switch(parts))) {
    if (body.back() != '[') body.push_back(',');
    body += switch_json(one);
  }
  return json_reply(200, body + "]}");
}

Answer set(const ApiParts& parts, Call& call) {
  if (auto problem = authorize(call, Scope::ops_act)) return std::move(*problem);
  if (auto problem = refuse_other_than_json(call)) return std::move(*problem);
  intake::Checker check;
  const auto read = read_body_of(call, check, {"paused", "reason"});
  if (const auto* problem = std::get_if<Problem>(&read)) return *problem;
  const auto& body = std::get<json::Document>(read);
  admin::SwitchWish wish;
  wish.reason = check.text(body, "", "reason", intake::Checker::Presence::required);
  if (!body.HasMember("paused") || !body["paused"].IsBool()) check.error("/paused", "must be true or false");
  if (!check.errors().empty()) return problem_of(check);
  wish.paused = body["paused"].GetBool();
  wish.name = percent_decode(call.params.at(0)).value_or("");
  wish.actor = actor_of(call);
  wish.actor_data = actor_data(call);
  const auto instances = instances_with_switch(parts);
  auto connection = parts.pool.acquire();
  // What another host's plugin is paused by must be resumed here, too.
  if (wish.paused && wish.name.rfind("plugin:", 0) == 0 && is_transactional(parts, wish.name.substr(7)))
    return Problem{Error::switch_not_found,
                   "This plugin works inside the host's transactions, which are not held back. Pause intake, "
                   "or a plugin that is called outside.",
                   {},
                   {}};
  if (wish.paused && !admin::is_switch(wish.name, instances))
    return Problem{Error::switch_not_found, {}, {}, {}};
  const bool changed = admin::set_switch(*connection, wish);
  for (const auto& one : admin::switches(*connection, instances))
    if (one.name == wish.name) return json_reply(200, switch_json(one));
  if (!changed) return Problem{Error::switch_not_found, {}, {}, {}};
  return json_reply(200, switch_json({wish.name, false, {}, {}, {}}));
}

Answer list_plugins(const ApiParts& parts, Call& call) {
  if (auto problem = authorize(call, Scope::ops_read)) return std::move(*problem);
  if (auto problem = refuse_other_than_json(call)) return std::move(*problem);
  auto connection = parts.pool.acquire();
  const auto states = admin::plugin_states(*connection);
  const auto switches = admin::switches(*connection, {});
  std::string body = "{\"data\":[";
  for (const auto& info : parts.admin.builds()) {
    if (body.back() != '[') body.push_back(',');
    json::Object object(body);
    object.add("instance", info.instance).add("plugin", info.plugin).add("version", info.version);
    object.add("vendor", info.vendor).add("library", info.library).add("digest", info.digest);
    std::string slots = "[";
    for (const auto& [slot, known] : parts.admin.slots) {
      if (known.instance != info.instance) continue;
      if (slots.size() > 1) slots.push_back(',');
      json::append_string(slots, slot);
    }
    object.raw("slots", slots + "]");
    const auto paused = [&](const admin::Switch& one) { return one.name == "plugin:" + info.instance; };
    object.add("paused", std::any_of(switches.begin(), switches.end(), paused));
    const auto state = states.find(info.instance);
    const bool known = state != states.end();
    add_or_null(object, "breaker", known ? state->second.breaker : "");
    add_or_null(object, "breakerSince", known && state->second.since ? to_rfc3339(*state->second.since) : "");
    object.add("parked", known ? state->second.parked : std::int64_t{0});
    object.add("hosts", known ? state->second.hosts : std::int64_t{0}).end();
  }
  return json_reply(200, body + "]}");
}

}  // namespace

void add_switch_routes(Router& router, const ApiParts& parts) {
  router.add("GET", "/api/admin/switches", [&parts](Call& call) { return list(parts, call); });
  router.add("PUT", "/api/admin/switches/{name}", [&parts](Call& call) { return set(parts, call); });
  router.add("GET", "/api/admin/plugins", [&parts](Call& call) { return list_plugins(parts, call); });
}

}  // namespace orderd::http
