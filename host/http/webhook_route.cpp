// POST /api/webhooks/{instance}: a provider's call, answered by the instance's lane once it is kept. No key
// of ours opens it: the plugin verifies the provider's own signature.
#include <algorithm>
#include <cctype>

#include "http/routes.h"
#include "webhooks/receiver.h"

namespace orderd::http {
namespace {

constexpr std::size_t headers_max = 100;

struct Waiting {
  front::DeferredAnswer answer;
  std::string request_id, path;

  void fail(Error error) {
    const Problem problem{error, {}, {}, {}};
    answer.finish(error_info(error).status, problem_fields(problem),
                  problem_json(problem, {request_id, path}));
  }
  void finish(const webhooks::Answer& given) {
    switch (given.kind) {
      case webhooks::Answer::Kind::taken: {
        front::Fields fields{{"Cache-Control", "no-store"}};
        if (!given.type.empty()) fields.emplace_back("Content-Type", given.type);
        return answer.finish(given.status, fields, given.body);
      }
      case webhooks::Answer::Kind::refused:
        return fail(Error::webhook_refused);
      case webhooks::Answer::Kind::unavailable:
        return fail(Error::database_unavailable);
      case webhooks::Answer::Kind::overloaded:
        return fail(Error::overloaded);
    }
  }
};

Answer take(webhooks::Receiver& receiver, Call& call) {
  const std::string instance(call.params.at(0));
  plugins::WebhookRequest request{call.request.getMethod(), {}, {}, std::string(call.request.body()), now()};
  if (const auto query = call.request.query(); !query.empty()) request.query = std::string(query);
  for (const auto& [name, value] : call.request) {
    if (request.headers.size() == headers_max) break;
    std::string lower = name;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    request.headers.emplace_back(std::move(lower), value);
  }
  const auto waiting = std::make_shared<Waiting>(
      Waiting{call.request.defer(), call.request_id, std::string(call.request.path())});
  const auto finish = [waiting](const webhooks::Answer& answer) { waiting->finish(answer); };
  if (!receiver.submit(instance, std::move(request), finish)) waiting->fail(Error::not_found);
  return Deferred{};
}

}  // namespace

void add_webhook_route(Router& router, const ApiParts& parts) {
  for (const char* method : {"POST", "GET"})
    router.add(method, "/api/webhooks/{instance}",
               [&receiver = parts.webhooks](Call& call) { return take(receiver, call); });
}

}  // namespace orderd::http
