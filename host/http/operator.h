#pragma once
// What operators' routes have in common: who acts, and how their bodies are read. Pure but for the request.
#include <optional>
#include <string>
#include <variant>

#include "admin/saga_list.h"
#include "http/api.h"
#include "http/query.h"
#include "intake/checker.h"

namespace orderd::http {

/// For audit rows: the caller, or "local" while no keys are required; and what else is known of it, as JSON.
std::string actor_of(const Call& call);
std::string actor_data(const Call& call);

/// 415, 400 or 422; else the body's object, in which `known` members alone may be.
std::variant<json::Document, Problem> read_body_of(const Call& call, intake::Checker& check,
                                                   std::initializer_list<std::string_view> known);
Problem problem_of(intake::Checker& check);

/// `?dryRun=true`; adds to the query's errors.
bool dry_run_in(Query& query);
/// state, step, plugin, code, attention, olderThanSeconds, each as text; what is wrong with one goes to
/// `error(name, message)`.
struct FilterText {
  std::optional<std::string> state, step, plugin, code;
  bool attention = false;
  std::int64_t older_than_s = 0;
};
using OnError = std::function<void(const char* name, std::string message)>;
admin::SagaFilter filter_of(const FilterText& text, const AdminParts& admin, const OnError& error);

}  // namespace orderd::http
