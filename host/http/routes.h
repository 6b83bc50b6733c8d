#pragma once
// The groups of routes, one file each. Each adds its routes to a router; what is passed by reference outlives
// the router.
#include "http/api.h"

namespace orderd::http {

void add_place_route(Router& router, const ApiParts& parts, const TrackingTokens& tokens);
void add_order_routes(Router& router, const ApiParts& parts, const TrackingTokens& tokens);
void add_list_route(Router& router, const ApiParts& parts);
void add_stream_route(Router& router, const ApiParts& parts, const TrackingTokens& tokens);
void add_product_route(Router& router, const ApiParts& parts);
void add_webhook_route(Router& router, const ApiParts& parts);
void add_health_routes(Router& router, const ApiParts& parts);
void add_explain_route(Router& router, const ApiParts& parts);
// Operators'.
void add_saga_routes(Router& router, const ApiParts& parts);
void add_verb_routes(Router& router, const ApiParts& parts);
void add_switch_routes(Router& router, const ApiParts& parts);
void add_build_routes(Router& router, const ApiParts& parts);
void add_dead_letter_routes(Router& router, const ApiParts& parts);
/// Throws std::runtime_error if the folder cannot be read.
void add_pages(Router& router, const std::string& web_dir);

/// 406 unless Accept admits JSON.
std::optional<Problem> refuse_other_than_json(const Call& call);
/// 400 for a query parameter that is not one of `known`: a mistyped one is not to be ignored.
std::optional<Problem> refuse_other_parameters(const Call& call,
                                               std::initializer_list<std::string_view> known = {});
/// 415 for a body that is not plain JSON.
std::optional<Problem> refuse_other_body(const Call& call);
/// The request's Idempotency-Key ("" if there is none) with its scope and fingerprint, or what is wrong with
/// it.
std::variant<intake::IdempotencyKey, Problem> read_key(const Call& call, const std::string& fingerprint_key);
Problem problem_of(const intake::Invalid& invalid);

}  // namespace orderd::http
