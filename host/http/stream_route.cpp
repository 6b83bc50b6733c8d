// GET /api/orders/{id}/stream: begins on a worker; then the front has its socket and the broadcaster its
// content.
#include <Poco/Net/HTTPServerResponse.h>

#include "http/fields.h"
#include "http/routes.h"
#include "outbox/log.h"

namespace orderd::http {
namespace {

const front::Fields stream_fields{
    {"Content-Type", "text/event-stream"}, {"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}};

/// The front's end of a stream, as the broadcaster knows it.
class FrontClient final : public sse::Client {
 public:
  explicit FrontClient(front::StreamedAnswer answer) : answer_(std::move(answer)) {}
  void send(Bytes bytes) override { answer_.append(std::move(bytes)); }
  void end() override { answer_.end(); }
  State state() const override {
    switch (answer_.state()) {
      case front::StreamedAnswer::State::open:
        return State::open;
      case front::StreamedAnswer::State::slow:
        return State::slow;
      case front::StreamedAnswer::State::ended:
      case front::StreamedAnswer::State::gone:
        break;
    }
    return State::gone;
  }

 private:
  front::StreamedAnswer answer_;
};

front::StreamLimits limits_of(const sse::BroadcasterOptions& options) {
  return {options.stream_bytes_max, options.stall_timeout_ms, options.send_buffer_bytes};
}

Answer stream_order(const ApiParts& parts, const TrackingTokens& tokens, Call& call) {
  const auto opened = authorize_order(call, tokens);
  if (const auto* problem = std::get_if<Problem>(&opened)) return *problem;
  const auto* id = std::get_if<Uuid>(&opened);
  if (!accepts(call.field("Accept"), "text/event-stream"))
    return Problem{
        Error::not_acceptable, "A stream is text/event-stream, which Accept does not admit.", {}, {}};
  std::optional<std::int32_t> last_event_id;
  if (const std::string field = call.field("Last-Event-ID"); !field.empty()) {
    last_event_id = sse::parse_last_event_id(field);
    if (!last_event_id)
      return Problem{Error::invalid_field,
                     "Last-Event-ID must be the id of a message of this stream: a whole number.",
                     {},
                     {}};
  }

  auto watched = parts.streams.watch(*id, call.identity.client);
  if (const auto* refused = std::get_if<sse::Broadcaster::Refused>(&watched)) {
    if (*refused == sse::Broadcaster::Refused::full)
      return Problem{Error::overloaded, "This host cannot take another stream at the moment.", {}, {}};
    return Problem{Error::too_many_streams, {}, {}, {{"Retry-After", "5"}}};
  }
  std::vector<Event> events;
  {
    auto connection = parts.pool.acquire();
    for (auto& entry : outbox::history(*connection, *id)) events.push_back(std::move(entry.event));
  }
  if (events.empty()) return Problem{Error::order_not_found, {}, {}, {}};
  if (!may_see(call, events.front())) return Problem{Error::order_not_found, {}, {}, {}};
  const auto order = fold_order(events);
  if (!order) return Problem{Error::internal, {}, {}, {}};
  auto beginning = sse::begin_stream(*id, order->history, last_event_id);
  if (beginning.nothing_left) return Reply{204, {{"Cache-Control", "no-cache"}}, ""};
  if (call.is_head()) return Reply{200, stream_fields, ""};
  for (const auto& [name, value] : stream_fields) call.request.response().set(name, value);
  std::function<bool()> permitted;
  if (call.identity.key)
    permitted = [keyring = parts.access.keyring, id = call.identity.key->id] { return keyring->lives(id); };
  parts.streams.open(
      std::get<sse::Broadcaster::Watch>(std::move(watched)),
      {std::make_unique<FrontClient>(call.request.stream_answer(limits_of(parts.streams.options()))),
       std::move(beginning), std::move(permitted)});
  return Deferred{};
}

}  // namespace

void add_stream_route(Router& router, const ApiParts& parts, const TrackingTokens& tokens) {
  router.add("GET", "/api/orders/{id}/stream",
             [&parts, &tokens](Call& call) { return stream_order(parts, tokens, call); });
}

}  // namespace orderd::http
