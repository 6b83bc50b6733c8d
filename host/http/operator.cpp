#include "http/operator.h"

#include <algorithm>

#include "http/routes.h"

namespace orderd::http {

std::string actor_of(const Call& call) {
  return call.identity.key || call.identity.keys_required ? call.caller : "local";
}

std::string actor_data(const Call& call) {
  std::string out;
  json::Object object(out);
  if (call.identity.key) object.add("key", call.identity.key->id);
  object.add("request", call.request_id).end();
  return out;
}

std::variant<json::Document, Problem> read_body_of(const Call& call, intake::Checker& check,
                                                   std::initializer_list<std::string_view> known) {
  if (auto problem = refuse_other_body(call)) return std::move(*problem);
  json::Document document;
  if (const auto invalid = intake::parse_request(call.request.body(), document)) return problem_of(*invalid);
  check.known_only(document, "", known);
  return document;
}

Problem problem_of(intake::Checker& check) { return {Error::invalid_request, {}, check.take(), {}}; }

bool dry_run_in(Query& query) {
  const auto text = query.text("dryRun");
  if (text && *text != "true" && *text != "false") query.error("dryRun", "must be true or false");
  return text == "true";
}

admin::SagaFilter filter_of(const FilterText& text, const AdminParts& admin, const OnError& error) {
  admin::SagaFilter filter;
  if (text.state) {
    filter.state = admin::parse_state(*text.state);
    if (!filter.state || filter.state == admin::State::finished)
      error("state", "must be RUNNING, WAITING, PARKED, PENDING, UNKNOWN or STUCK");
  }
  filter.attention = text.attention;
  filter.step = text.step;
  filter.code = text.code;
  filter.plugin = text.plugin;
  const auto known = admin.step_instances();
  if (text.plugin && std::find(known.begin(), known.end(), *text.plugin) == known.end())
    error("plugin", "is no instance that a saga's step uses here");
  if (text.older_than_s > 0) filter.placed_before = now() - Millis(1000 * text.older_than_s);
  return filter;
}

}  // namespace orderd::http
