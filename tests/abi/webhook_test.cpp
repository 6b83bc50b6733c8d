#include <catch2/catch.hpp>

#include "harness.h"

namespace orderd::plugins {
namespace {

WebhookRequest request(const std::string& body, const std::string& signature = "good") {
  WebhookRequest given;
  given.method = "POST";
  given.query = "hub.challenge";
  given.headers = {{"content-type", "application/json"}, {"x-signature", signature}};
  given.body = body;
  given.received = Time(Millis(1'700'000'000'000));
  return given;
}

using Kind = WebhookResult::Kind;

TEST_CASE("a webhook's events cross with all they carry") {
  Running host(plugin("abi_hooked.so"));
  const WebhookResult result = host.registry.webhook("one")->handle(request("refund"));
  REQUIRE(result.kind == Kind::taken);
  REQUIRE(result.events.size() == 1);
  const WebhookEvent& event = result.events[0];
  CHECK(event.event_id == "evt_1");
  CHECK(event.type == "charge.refunded");
  CHECK(event.command_key == "pay-1.refund.1.g1");
  CHECK(event.subject.empty());
  CHECK(event.outcome.kind == OutcomeKind::done);
  CHECK(event.outcome.totals == PaymentTotals{100, 100, 40, 0});
  CHECK(event.occurred == Time(Millis(1'699'999'999'000)));
  CHECK(result.reply_status == 200);
  CHECK(result.reply_body.empty());
}

TEST_CASE("a webhook that the plugin does not accept as its provider's is refused, with its reason") {
  Running host(plugin("abi_hooked.so"));
  const WebhookResult result = host.registry.webhook("one")->handle(request("refund", "forged"));
  CHECK(result.kind == Kind::refused);
  CHECK(result.problem == "the signature is not ours");
  CHECK(result.events.empty());
}

TEST_CASE("a plugin answers a provider's handshake in words") {
  Running host(plugin("abi_hooked.so"));
  const WebhookResult result = host.registry.webhook("one")->handle(request("challenge"));
  CHECK(result.kind == Kind::taken);
  CHECK(result.reply_type == "text/plain");
  CHECK(result.reply_body == "hub.challenge");
}

TEST_CASE("nothing is kept of a webhook that throws or emits what makes no sense") {
  Running host(plugin("abi_hooked.so"));
  for (const char* body : {"crash", "no id", "no order", "many", "bad reply"}) {
    const WebhookResult result = host.registry.webhook("one")->handle(request(body));
    CHECK(result.kind == Kind::failed);
    CHECK_FALSE(result.problem.empty());
    CHECK(result.events.empty());
  }
}

TEST_CASE("an event whose outcome makes no sense is taken as UNKNOWN, so that the host asks") {
  Running host(plugin("abi_hooked.so"));
  const WebhookResult result = host.registry.webhook("one")->handle(request("garbage"));
  REQUIRE(result.events.size() == 1);
  CHECK(result.events[0].outcome.kind == OutcomeKind::unknown);
  CHECK(result.events[0].outcome.code == "GARBAGE");
}

TEST_CASE("an instance that takes no webhooks has no reader") {
  Running host(plugin("abi_scripted.so"));
  CHECK(host.registry.webhook("one") == nullptr);
  CHECK(host.registry.webhook("another") == nullptr);
}

}  // namespace
}  // namespace orderd::plugins
