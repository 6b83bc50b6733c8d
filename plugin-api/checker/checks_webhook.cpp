// A webhook is read from the open Internet: what is not the provider's must not get through.
#include <orderd/webhook.h>

#include "check.h"

namespace orderd::checker {
namespace {

struct Heard {
  int events = 0, replies = 0;
  std::string problem;
};

orderd_webhook_sink sink_of(Heard& heard) {
  orderd_webhook_sink sink;
  sink.sink_data = &heard;
  sink.emit = [](const orderd_webhook_sink* self, const orderd_webhook_event* event) -> orderd_status {
    auto& into = *static_cast<Heard*>(self->sink_data);
    ++into.events;
    if (!event || !ORDERD_HAS(event, orderd_webhook_event, occurred_ms) || event->event_id.size == 0)
      into.problem = "an event has no event_id, or its struct is too short";
    else if (event->command_key.size + event->subject.size + event->provider_reference.size == 0)
      into.problem = "an event names no order";
    else
      into.problem = testing::outcome_problem(event->outcome, false);
    return into.problem.empty() ? ORDERD_OK : ORDERD_E_INVALID;
  };
  sink.reply = [](const orderd_webhook_sink* self, std::int32_t, orderd_view, orderd_view) -> orderd_status {
    ++static_cast<Heard*>(self->sink_data)->replies;
    return ORDERD_OK;
  };
  return sink;
}

orderd_status call(Case& c, Begun& begun, std::string_view body, const std::vector<orderd_header>& headers,
                   Heard& heard) {
  const auto* table = begun->extension<orderd_webhook_v1>(ORDERD_EXT_WEBHOOK);
  if (!table) c.not_asked("it takes no webhooks");
  orderd_webhook_request request;
  ORDERD_CLEAR(request);
  request.method = orderd_text("POST");
  request.headers = headers.data();
  request.header_count = static_cast<std::uint32_t>(headers.size());
  request.body = body.empty() ? orderd_view{nullptr, 0} : sdk::view(body);
  request.received_ms = testing::now_ms();
  const orderd_webhook_sink sink = sink_of(heard);
  orderd_error error;
  ORDERD_CLEAR(error);
  testing::note_call("handle()");
  try {
    return table->handle(begun->abi(), &request, &sink, &error);
  } catch (...) { c.fail("an exception left handle()"); }
  return ORDERD_E_INTERNAL;
}

const std::vector<orderd_header> signatures(const char* value) {
  std::vector<orderd_header> all;
  for (const char* name : {"stripe-signature", "x-signature", "webhook-signature", "hmac-signature"})
    all.push_back({orderd_text(name), orderd_text(value)});
  return all;
}

void forged(Case& c) {
  Begun begun(c);
  const char* body = R"({"id":"evt_1","type":"payment_intent.succeeded","data":{"object":{"id":"pay-1"}}})";
  for (const char* line : {body, "evt_1 pay-1", "{}", ""})
    for (const char* value :
         {"", "00", "t=1,v1=0000000000000000000000000000000000000000000000000000000000000000"}) {
      Heard heard;
      const orderd_status status = call(c, begun, line, signatures(value), heard);
      c.expect(status != ORDERD_OK || heard.events == 0,
               "it takes a webhook whose signature is \"" + std::string(value) + "\": anybody could send it");
    }
  Heard heard;
  const orderd_status bare = call(c, begun, "evt_1 pay-1", {}, heard);
  c.expect(bare != ORDERD_OK || heard.events == 0, "it takes a webhook without any signature");
}

void malformed(Case& c) {
  Begun begun(c);
  const std::string large(1 << 20, '['), bytes("\0\xff\xfe{", 4);
  for (const std::string& body : {std::string(), bytes, large, std::string("{\"id\":"), std::string("[]")}) {
    Heard heard;
    const std::int64_t began = testing::monotonic_ms();
    (void)call(c, begun, body, signatures("t=x,v1=y"), heard);
    c.expect(heard.problem.empty(), heard.problem);
    c.expect(testing::monotonic_ms() - began < 2000, "handle() takes seconds: it must be pure computation");
  }
}

void concurrent(Case& c) {
  Begun begun(c);
  if (!begun->extension<void>(ORDERD_EXT_WEBHOOK)) c.not_asked("it takes no webhooks");
  std::vector<std::thread> callers;
  for (int t = 0; t < 8; ++t)
    callers.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        Heard heard;
        (void)call(c, begun, "evt_1 pay-1", signatures("00"), heard);
      }
    });
  for (std::thread& caller : callers) caller.join();
}

}  // namespace

std::vector<Check> webhook_checks() {
  return {{"webhook.forged", "what is not signed by the provider is refused", forged},
          {"webhook.malformed", "bodies that make no sense", malformed},
          {"webhook.concurrent", "8 threads at once", concurrent}};
}

}  // namespace orderd::checker
