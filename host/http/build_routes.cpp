// GET and POST /api/admin/plugins/{instance}/builds, POST /api/admin/plugins/{instance}/switch, …/rollback,
// …/drain: replaces plugins while hosts run. No code comes in over HTTP: what is installed is a file in
// plugins.dir, whose owner is the trust in it.
#include "admin/builds.h"
#include "http/operator.h"
#include "http/routes.h"

namespace orderd::http {
namespace {

constexpr std::chrono::seconds install_limit{60};  // the build is judged by a program of its own

std::string build_json(const admin::BuildRow& one) {
  std::string out;
  json::Object object(out);
  object.add("digest", one.digest).add("plugin", one.plugin).add("version", one.version);
  object.add("state", one.state).add("current", one.current).add("previous", one.previous);
  object.add("orders", one.orders).add("hosts", one.hosts);
  object.add("addedAt", to_rfc3339(one.added_at)).add("addedBy", one.added_by);
  one.problem.empty() ? object.raw("problem", "null") : object.add("problem", one.problem);
  object.end();
  return out;
}

std::string instance_in(const Call& call) { return percent_decode(call.params.at(0)).value_or(""); }

Answer list(const ApiParts& parts, Call& call) {
  if (auto problem = authorize(call, Scope::ops_read)) return std::move(*problem);
  if (auto problem = refuse_other_than_json(call)) return std::move(*problem);
  auto connection = parts.pool.acquire();
  const auto builds = admin::builds(*connection, instance_in(call));
  if (builds.empty()) return Problem{Error::build_not_found, {}, {}, {}};
  std::string body = "{\"data\":[";
  for (const auto& one : builds) body.append(body.back() == '[' ? "" : ",").append(build_json(one));
  return json_reply(200, body + "]}");
}

Answer told(const admin::BuildAnswer& answer, int status) {
  using Kind = admin::BuildAnswer::Kind;
  if (answer.kind == Kind::unknown) return Problem{Error::build_not_found, answer.text, {}, {}};
  if (answer.kind == Kind::refused) return Problem{Error::verb_refused, answer.text, {}, {}};
  std::string out;
  json::Object object(out);
  object.add("digest", answer.digest).add("text", answer.text).end();
  return json_reply(status, std::move(out));
}

Answer install(const ApiParts& parts, Call& call) {
  if (auto problem = authorize(call, Scope::ops_act)) return std::move(*problem);
  if (auto problem = refuse_other_than_json(call)) return std::move(*problem);
  using Presence = intake::Checker::Presence;
  intake::Checker check;
  const auto read = read_body_of(call, check, {"file", "reason", "force"});
  if (const auto* problem = std::get_if<Problem>(&read)) return *problem;
  const auto& body = std::get<json::Document>(read);
  admin::BuildRequest wish{instance_in(call), "", actor_of(call), "", actor_data(call)};
  wish.reason = check.text(body, "", "reason", Presence::required);
  const std::string file = check.text(body, "", "file", Presence::required);
  if (body.HasMember("force") && !body["force"].IsBool()) check.error("/force", "must be true or false");
  if (!check.errors().empty()) return problem_of(check);
  if (!parts.admin.install) return Problem{Error::build_not_found, {}, {}, {}};
  call.request.allow(install_limit);
  return told(parts.admin.install(wish, file, json::boolean(body, "force")), 201);
}

enum class Change { use, roll_back, drain };

admin::BuildAnswer carry_out(store::Connection& connection, const admin::BuildRequest& wish, Change change,
                             bool at_once) {
  switch (change) {
    case Change::use:
      return admin::switch_build(connection, wish);
    case Change::roll_back:
      return admin::roll_back(connection, wish);
    case Change::drain:
      break;
  }
  return admin::drain_build(connection, wish, at_once);
}

Answer change(const ApiParts& parts, Call& call, Change change) {
  if (auto problem = authorize(call, Scope::ops_act)) return std::move(*problem);
  if (auto problem = refuse_other_than_json(call)) return std::move(*problem);
  using Presence = intake::Checker::Presence;
  intake::Checker check;
  const auto read = change == Change::roll_back ? read_body_of(call, check, {"reason"})
                    : change == Change::use     ? read_body_of(call, check, {"digest", "reason"})
                                                : read_body_of(call, check, {"digest", "reason", "now"});
  if (const auto* problem = std::get_if<Problem>(&read)) return *problem;
  const auto& body = std::get<json::Document>(read);
  admin::BuildRequest wish{instance_in(call), "", actor_of(call), "", actor_data(call)};
  wish.reason = check.text(body, "", "reason", Presence::required);
  if (change != Change::roll_back) wish.digest = check.text(body, "", "digest", Presence::required);
  if (body.HasMember("now") && !body["now"].IsBool()) check.error("/now", "must be true or false");
  if (!check.errors().empty()) return problem_of(check);
  auto connection = parts.pool.acquire();
  return told(carry_out(*connection, wish, change, json::boolean(body, "now")), 202);
}

}  // namespace

void add_build_routes(Router& router, const ApiParts& parts) {
  const std::string plugin = "/api/admin/plugins/{instance}/";
  router.add("GET", plugin + "builds", [&parts](Call& call) { return list(parts, call); });
  router.add("POST", plugin + "builds", [&parts](Call& call) { return install(parts, call); });
  router.add("POST", plugin + "switch", [&parts](Call& call) { return change(parts, call, Change::use); });
  router.add("POST", plugin + "rollback",
             [&parts](Call& call) { return change(parts, call, Change::roll_back); });
  router.add("POST", plugin + "drain", [&parts](Call& call) { return change(parts, call, Change::drain); });
}

}  // namespace orderd::http
