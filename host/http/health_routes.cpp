// What monitors ask: is the process alive, can it serve, its numbers.
#include "base/metrics.h"
#include "http/routes.h"
#include "model/json.h"

namespace orderd::http {
namespace {

Reply plain(int status, std::string body, std::string type) {
  return {status, {{"Content-Type", std::move(type)}, {"Cache-Control", "no-store"}}, std::move(body)};
}

Reply readiness(const std::vector<std::string>& problems) {
  std::string list = "[";
  for (const std::string& problem : problems) {
    if (list.size() > 1) list.push_back(',');
    json::append_string(list, problem);
  }
  std::string body;
  json::Object object(body);
  object.add("status", problems.empty() ? "ready" : "not ready").raw("notReady", list + "]").end();
  return plain(problems.empty() ? 200 : 503, std::move(body), "application/json");
}

}  // namespace

void add_health_routes(Router& router, const ApiParts& parts) {
  router.add("GET", "/healthz/live", [](Call&) -> Answer { return plain(200, R"({"status":"live"})", "application/json"); });
  router.add("GET", "/healthz/ready", [&parts](Call&) -> Answer { return readiness(parts.not_ready()); });
  router.add("GET", "/metrics",
             [](Call&) -> Answer { return plain(200, metrics().to_text(), "text/plain; version=0.0.4; charset=utf-8"); });
}

}  // namespace orderd::http
