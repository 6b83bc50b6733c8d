#include "http/api.h"

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPServerResponse.h>

#include <algorithm>
#include <set>

#include "base/log_summed.h"
#include "http/fields.h"
#include "http/routes.h"

namespace orderd::http {
namespace {

constexpr std::string_view undefined_table = "42P01";

/// The database's trouble as the client gets to see it: never a statement's text.
Error error_of(const store::DbError& error) {
  if (error.sqlstate == undefined_table) return Error::read_model_unavailable;
  // XX: what is stored is damaged; trying again helps nobody.
  const bool passes = store::trouble_of(error.sqlstate) != store::Trouble::permanent;
  return error.connection_lost || (passes && !error.sqlstate.starts_with("XX")) ? Error::database_unavailable
                                                                                : Error::internal;
}

/// Why, where it is not that the database cannot be reached.
std::string detail_of(const store::DbError& error) {
  if (error_of(error) != Error::database_unavailable) return {};
  std::string words(store::cause_of(error.sqlstate));
  words[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(words[0])));
  return words + ". Nothing was changed; try again.";
}

Answer run(const Handler& handler, Call& call) {
  try {
    return handler(call);
  } catch (const store::DbError& error) {
    log_summed(LogLevel::warning, "http", "a request failed in the database",
               {{"request", call.request_id}, {"sqlstate", error.sqlstate}, {"error", error.what()}});
    return Problem{error_of(error), detail_of(error), {}, {}};
  } catch (const std::exception& error) {
    log_error("http", "a request failed", {{"request", call.request_id}, {"error", error.what()}});
    return Problem{Error::internal, {}, {}, {}};
  }
}

Answer handle(const Router& router, const RequestGuard& guard, Call& call) {
  auto match = router.match(call.request.getMethod(), call.request.path());
  // A browser cannot send a key for a page. The console's pages hold no data, and what they show they ask
  // /api/admin for, with a key.
  const bool open_page = match.is_page && call.identity.keys_required;
  if (is_operators(call.request.path()) && !open_page)
    if (auto problem = authorize_operator(call)) return std::move(*problem);
  if (!match.handler) {
    if (match.allow.empty()) return Problem{Error::not_found, {}, {}, {}};
    if (is_preflight(call)) return guard.cors().preflight(call, match.allow);
    if (call.request.getMethod() == "OPTIONS") return Reply{204, {{"Allow", match.allow + ", OPTIONS"}}, ""};
    return Problem{Error::method_not_allowed, {}, {}, {{"Allow", match.allow}}};
  }
  call.params = std::move(match.params);
  return run(*match.handler, call);
}

class Dispatch final : public Poco::Net::HTTPRequestHandler {
 public:
  Dispatch(const Router& router, RequestGuard& guard) : router_(router), guard_(guard) {}

  void handleRequest(Poco::Net::HTTPServerRequest& poco_request,
                     Poco::Net::HTTPServerResponse& response) override {
    auto& request = front::Request::from(poco_request);
    Call call{request, request_id(request.get("X-Request-Id", "")),
              traceparent(request.get("traceparent", ""))};
    call.common = {{"X-Request-Id", call.request_id}, {"X-Content-Type-Options", "nosniff"}};
    auto refused = guard_.admit(call);
    // Set before the handler, so that a deferred answer carries them as well.
    for (const auto& [name, value] : call.common) response.set(name, value);
    Answer answer = refused ? Answer(std::move(*refused)) : handle(router_, guard_, call);
    if (std::holds_alternative<Deferred>(answer)) return;
    if (const auto* problem = std::get_if<Problem>(&answer)) {
      guard_.count(problem->error);
      answer = Reply{error_info(problem->error).status, problem_fields(*problem),
                     problem_json(*problem, {call.request_id, request.path()})};
    }
    const auto& reply = std::get<Reply>(answer);
    response.setStatusAndReason(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(reply.status));
    for (const auto& [name, value] : reply.fields) response.set(name, value);
    response.sendBuffer(reply.body.data(), reply.body.size());
  }

 private:
  const Router& router_;
  RequestGuard& guard_;
};

class Factory final : public Poco::Net::HTTPRequestHandlerFactory {
 public:
  Factory(const Router& router, RequestGuard& guard) : router_(router), guard_(guard) {}
  Poco::Net::HTTPRequestHandler* createRequestHandler(const Poco::Net::HTTPServerRequest&) override {
    return new Dispatch(router_, guard_);  // the front's to delete, as Poco's contract has it
  }

 private:
  const Router& router_;
  RequestGuard& guard_;
};

}  // namespace

front::Lane lane_of(std::string_view method, std::string_view path) {
  using front::Lane;
  if (path == "/healthz/live" || path == "/healthz/ready" || path == "/metrics") return Lane::immediate;
  if (path == "/api/orders" && method != "POST") return Lane::apart;
  if (path == "/api/products" || (is_operators(path) && path.ends_with("/builds") && method == "POST"))
    return Lane::apart;
  return Lane::ordinary;
}

std::vector<std::string> AdminParts::step_instances() const {
  std::set<std::string> names;
  for (const auto& [slot, info] : slots) names.insert(info.instance);
  for (const auto& build : builds())
    if (std::find(build.extensions.begin(), build.extensions.end(), "orderd.step/1") !=
        build.extensions.end())
      names.insert(build.instance);
  return {names.begin(), names.end()};
}

Api::Api(ApiParts parts) : parts_(std::move(parts)), tokens_(parts_.secrets), guard_(parts_.access) {
  add_place_route(router_, parts_, tokens_);
  add_list_route(router_, parts_);
  add_order_routes(router_, parts_, tokens_);
  add_stream_route(router_, parts_, tokens_);
  add_product_route(router_, parts_);
  add_webhook_route(router_, parts_);
  add_health_routes(router_, parts_);
  add_health_routes(health_, parts_);
  add_explain_route(router_, parts_);
  add_saga_routes(router_, parts_);
  add_verb_routes(router_, parts_);
  add_switch_routes(router_, parts_);
  add_build_routes(router_, parts_);
  add_dead_letter_routes(router_, parts_);
  if (!parts_.web_dir.empty()) add_pages(router_, parts_.web_dir);
}

front::ErrorRenderer Api::renderer() const {
  return [cors = guard_.cors()](const front::Refusal& refusal) {
    front::Rendered rendered = render_refusal(refusal);
    for (auto& field : cors.fields(refusal.instance, std::string(refusal.origin)))
      rendered.fields.push_back(std::move(field));
    return rendered;
  };
}

Poco::Net::HTTPRequestHandlerFactory::Ptr Api::factory() { return new Factory(router_, guard_); }
Poco::Net::HTTPRequestHandlerFactory::Ptr Api::health_factory() { return new Factory(health_, guard_); }

}  // namespace orderd::http
