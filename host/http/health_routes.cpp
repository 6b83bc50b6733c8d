// What monitors ask: is the process alive, can it serve, its numbers. All answers come from memory.
#include "base/metrics.h"
#include "http/routes.h"
#include "model/json.h"

namespace orderd::http {
namespace {

Reply plain(int status, std::string body, std::string type) {
  return {status, {{"Content-Type", std::move(type)}, {"Cache-Control", "no-store"}}, std::move(body)};
}

std::string list_of(const std::vector<std::string>& lines) {
  std::string list = "[";
  for (const std::string& line : lines) {
    if (list.size() > 1) list.push_back(',');
    json::append_string(list, line);
  }
  return list + "]";
}

Reply readiness(const ApiParts& parts) {
  const auto problems = parts.not_ready();
  const auto degraded = parts.degraded ? parts.degraded() : std::vector<std::string>();
  std::string body;
  json::Object object(body);
  object.add("status", !problems.empty()  ? "not ready"
                       : degraded.empty() ? "ready"
                                          : "degraded")
      .raw("notReady", list_of(problems))
      .raw("degraded", list_of(degraded))
      .end();
  return plain(problems.empty() ? 200 : 503, std::move(body), "application/json");
}

}  // namespace

void add_health_routes(Router& router, const ApiParts& parts) {
  router.add("GET", "/healthz/live",
             [](Call&) -> Answer { return plain(200, R"({"status":"live"})", "application/json"); });
  router.add("GET", "/healthz/ready", [&parts](Call&) -> Answer { return readiness(parts); });
  router.add("GET", "/metrics", [](Call&) -> Answer {
    return plain(200, metrics().to_text(), "text/plain; version=0.0.4; charset=utf-8");
  });
}

}  // namespace orderd::http
