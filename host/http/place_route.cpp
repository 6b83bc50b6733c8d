// POST /api/orders: checked on a worker, committed by the intake's writer, which also sends the answer.
#include "base/metrics.h"
#include "http/fields.h"
#include "http/routes.h"

namespace orderd::http {
namespace {

Metrics::Counter& refused(Error error) {
  return metrics().counter("orderd_orders_refused_total",
                           "Valid orders that were not taken, by the problem's code",
                           {{"code", std::string(error_info(error).code)}});
}

/// What the answer needs when the writer comes back, long after the request's handler has gone.
struct Pending {
  front::DeferredAnswer answer;
  std::string request_id, instance;
  const TrackingTokens& tokens;

  void fail(Error error, std::string detail = {}) {
    refused(error).Increment();
    const Problem problem{error, std::move(detail), {}, {}};
    answer.finish(error_info(error).status, problem_fields(problem),
                  problem_json(problem, {request_id, instance}));
  }
  void succeed(const intake::Placed& placed) {
    const Uuid& id = placed.order.snapshot.id;
    front::Fields fields{{"Content-Type", "application/json"},
                         {"Cache-Control", "private, no-cache"},
                         {"Location", "/api/orders/" + id.to_string()},
                         {"ETag", etag(placed.order.snapshot.version)}};
    if (placed.kind == intake::Placed::Kind::replayed) fields.emplace_back("Idempotent-Replayed", "true");
    answer.finish(201, fields, order_json(placed.order.snapshot, &placed.order.history, tokens.make(id)));
  }
  void finish(const intake::Placed& placed) {
    switch (placed.kind) {
      case intake::Placed::Kind::created:
      case intake::Placed::Kind::replayed:
        return succeed(placed);
      case intake::Placed::Kind::key_reused:
        return fail(Error::idempotency_key_reused);
      case intake::Placed::Kind::overloaded:
        return fail(Error::overloaded);
      case intake::Placed::Kind::paused:
        return fail(Error::intake_paused);
      case intake::Placed::Kind::failed:
        return fail(Error::internal);
      case intake::Placed::Kind::unavailable:
        if (placed.maybe_written)
          return fail(Error::database_unavailable,
                      "The database went away during the commit, so the order may exist. Send the request "
                      "again with its Idempotency-Key to learn it.");
        return fail(Error::database_unavailable,
                    "The order was not placed: " +
                        std::string(placed.cause.empty() ? store::cause_of("") : placed.cause) +
                        ". Try again.");
    }
  }
};

}  // namespace

void add_place_route(Router& router, const ApiParts& parts, const TrackingTokens& tokens) {
  for (const Error error : {Error::overloaded, Error::intake_paused, Error::database_unavailable,
                            Error::idempotency_key_reused, Error::internal})
    refused(error);  // there from the start, as zero
  const auto place = [&intake = parts.intake, &tokens,
                      key = parts.secrets.derive("fingerprint")](Call& call) -> Answer {
    if (auto problem = authorize(call, Scope::orders_write)) return std::move(*problem);
    if (auto problem = refuse_other_than_json(call)) return std::move(*problem);
    if (auto problem = refuse_other_parameters(call)) return std::move(*problem);
    if (auto problem = refuse_other_body(call)) return std::move(*problem);
    auto read = read_key(call, key);
    if (auto* problem = std::get_if<Problem>(&read)) return std::move(*problem);
    auto validated = intake::validate_order(call.request.body());
    if (const auto* invalid = std::get_if<intake::Invalid>(&validated)) return problem_of(*invalid);
    if (!may_see(call, std::get<OrderDraft>(validated).body.customer_id))
      return Problem{Error::foreign_customer, {}, {}, {}};

    // Shared, because a std::function must be copyable; only one copy is ever called.
    const auto pending = std::make_shared<Pending>(
        Pending{call.request.defer(), call.request_id, std::string(call.request.path()), tokens});
    intake.submit({std::get<OrderDraft>(std::move(validated)), call.traceparent,
                   std::get<intake::IdempotencyKey>(std::move(read))},
                  [pending](const intake::Placed& placed) { pending->finish(placed); });
    return Deferred{};
  };
  router.add("POST", "/api/orders", place);
}

}  // namespace orderd::http
