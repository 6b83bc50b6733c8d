// GET /api/orders/{id} and POST /api/orders/{id}/cancel: one order, from the write side, so always up to
// date.
#include "http/fields.h"
#include "http/routes.h"
#include "intake/cancel.h"
#include "outbox/log.h"

namespace orderd::http {
namespace {

constexpr store::Statement read_attention{"read_attention",
                                          "select attention from order_state where id = $1"};

Answer get_order(const ApiParts& parts, const TrackingTokens& tokens, Call& call) {
  const auto opened = authorize_order(call, tokens);
  if (const auto* problem = std::get_if<Problem>(&opened)) return *problem;
  const auto* id = std::get_if<Uuid>(&opened);
  if (auto problem = refuse_other_than_json(call)) return std::move(*problem);
  if (auto problem = refuse_other_parameters(call, {"token"})) return std::move(*problem);
  std::vector<Event> events;
  std::string attention;
  {
    auto connection = parts.pool.acquire();
    for (auto& entry : outbox::history(*connection, *id)) events.push_back(std::move(entry.event));
    if (events.empty()) return Problem{Error::order_not_found, {}, {}, {}};
    const store::Rows state = connection->run(read_attention, store::Args().uuid(*id));
    if (!state.empty() && !state.is_null(0, 0)) attention = state.bytes(0, 0);
  }
  if (!may_see(call, events.front())) return Problem{Error::order_not_found, {}, {}, {}};
  auto order = fold_order(events);
  if (!order) return Problem{Error::internal, {}, {}, {}};
  if (!attention.empty()) order->snapshot.attention = attention;

  const std::int32_t version = order->snapshot.version;
  const auto known = parse_entity_tags(call.field("If-None-Match"));
  if (known && known->matches_weakly(entity_tag(version, attention)))
    return Reply{304, {{"ETag", etag(version, attention)}, {"Cache-Control", "private, no-cache"}}, ""};
  Reply reply = json_reply(200, order_json(order->snapshot, &order->history));
  reply.fields.emplace_back("ETag", etag(version, attention));
  return reply;
}

Answer show_cancelled(const intake::Cancelled& cancelled) {
  switch (cancelled.kind) {
    case intake::Cancelled::Kind::not_found:
      return Problem{Error::order_not_found, {}, {}, {}};
    case intake::Cancelled::Kind::refused:
      return Problem{Error::order_not_cancellable, {}, {}, {}};
    case intake::Cancelled::Kind::version_differs:
      return Problem{Error::version_mismatch, {}, {}, {}};
    case intake::Cancelled::Kind::key_reused:
      return Problem{Error::idempotency_key_reused, {}, {}, {}};
    case intake::Cancelled::Kind::accepted:
    case intake::Cancelled::Kind::already_cancelled:
      break;
  }
  const FoldedOrder& order = cancelled.order;
  Reply reply = json_reply(cancelled.kind == intake::Cancelled::Kind::accepted ? 202 : 200,
                           order_json(order.snapshot, &order.history));
  reply.fields.emplace_back("ETag", etag(order.snapshot.version));
  if (cancelled.replayed) reply.fields.emplace_back("Idempotent-Replayed", "true");
  return reply;
}

Answer cancel_order(const ApiParts& parts, const std::string& fingerprint_key, Call& call) {
  if (auto problem = authorize(call, Scope::orders_write)) return std::move(*problem);
  if (auto problem = refuse_other_than_json(call)) return std::move(*problem);
  if (auto problem = refuse_other_parameters(call)) return std::move(*problem);
  if (auto problem = refuse_other_body(call)) return std::move(*problem);
  const auto id = Uuid::parse(call.params.at(0));
  if (!id) return Problem{Error::order_not_found, {}, {}, {}};
  auto key = read_key(call, fingerprint_key);
  if (auto* problem = std::get_if<Problem>(&key)) return std::move(*problem);
  auto validated = intake::validate_cancel(call.request.body());
  if (const auto* invalid = std::get_if<intake::Invalid>(&validated)) return problem_of(*invalid);

  intake::CancelWish wish;
  wish.order_id = *id;
  wish.reason = std::get<intake::CancelBody>(validated).reason;
  wish.traceparent = call.traceparent;
  wish.only_customer = bound_customer(call);
  wish.key = std::get<intake::IdempotencyKey>(std::move(key));
  if (call.has("If-Match")) {
    const auto tags = parse_entity_tags(call.field("If-Match"));
    if (!tags)
      return Problem{Error::invalid_field,
                     "If-Match must hold entity tags, such as \"3\" with its quotes, or *.",
                     {},
                     {}};
    if (!tags->any) wish.if_versions = versions_in(*tags);
  }
  return show_cancelled(intake::cancel(parts.pool, wish));
}

}  // namespace

void add_order_routes(Router& router, const ApiParts& parts, const TrackingTokens& tokens) {
  router.add("GET", "/api/orders/{id}",
             [&parts, &tokens](Call& call) { return get_order(parts, tokens, call); });
  router.add("POST", "/api/orders/{id}/cancel",
             [&parts, key = parts.secrets.derive("fingerprint")](Call& call) {
               return cancel_order(parts, key, call);
             });
}

}  // namespace orderd::http
