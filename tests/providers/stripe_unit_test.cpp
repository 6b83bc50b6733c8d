// plugins/payment/stripe on a host of cardboard: what Stripe's answers mean, amounts, signatures.
#include <orderd/payment.h>
#include <orderd/webhook.h>
#include <orderd/testing.hpp>
#include <orderd/testing/sha256.hpp>

#include <catch2/catch.hpp>

using namespace orderd::testing;
using orderd::sdk::Outcome;

namespace {

constexpr const char* secret = "whsec_unit_secret";

std::string intent(const std::string& status, const std::string& more = "") {
  return R"({"object":"payment_intent","id":"pi_1","amount":1999,"amount_received":0,"currency":"eur",)"
         R"("created":)" +
         std::to_string(now_ms() / 1000) + R"(,"status":")" + status +
         R"(","metadata":{"orderd_subject":"pay-1","orderd_key":"pay-1.payment.authorize.1.g1"})" + more +
         "}";
}
std::string error(const std::string& type, const std::string& more = "") {
  return R"({"error":{"type":")" + type + R"(","message":"why")" + more + "}}";
}

struct Shop {
  explicit Shop(Settings more = {}) : settings(std::move(more)) {
    settings.insert({{"api_key", "sk_test_unit"}, {"webhook_secret", secret}, {"lookup_lag_s", "0"}});
    host.emplace(settings);
    host->http.server = [this](const HttpRequest& request) {
      requests.push_back(request);
      if (answers.empty()) return HttpAnswer{500, "{}"};
      HttpAnswer next = answers.front();
      if (answers.size() > 1) answers.erase(answers.begin());
      return next;
    };
    plugin.emplace(*host, orderd_plugin_entry_v1());
    plugin->begin();
  }
  ~Shop() { CHECK(host->violations().empty()); }

  Outcome run(const CommandSpec& spec, std::vector<HttpAnswer> given) {
    answers = std::move(given);
    return plugin->run(spec);
  }
  Outcome authorize(HttpAnswer answer, const std::string& secret_json = R"({"token":"pm_1"})") {
    CommandSpec spec = command("payment.authorize");
    spec.secret_json = secret_json;
    return run(spec, {std::move(answer)});
  }

  Settings settings;
  std::optional<FakeHost> host;
  std::vector<HttpRequest> requests;
  std::vector<HttpAnswer> answers;
  std::optional<Plugin> plugin;
};

CommandSpec with_reference(const std::string& action, std::int64_t amount = 1999) {
  CommandSpec spec = command(action);
  spec.amount = amount;
  spec.provider_reference = "pi_1";
  spec.totals = {1999, 1999, 0, 0};
  return spec;
}

}  // namespace

TEST_CASE("stripe: an authorization is one request with the command's key and everything that Stripe needs") {
  Shop shop;
  const Outcome outcome = shop.authorize({200, intent("requires_capture")},
                                         R"({"token":"pm_1","returnUrl":"https://shop/back?a=b"})");
  CHECK(outcome.kind == ORDERD_DONE);
  CHECK(outcome.totals->authorized == 1999);
  CHECK(outcome.provider_reference == "pi_1");
  CHECK(outcome.state->version == 1);
  CHECK(outcome.expires_ms > now_ms() + 6 * 86'400'000LL);
  REQUIRE(shop.requests.size() == 1);
  const HttpRequest& sent = shop.requests[0];
  CHECK(sent.url == "https://api.stripe.com/v1/payment_intents");
  CHECK(sent.header("idempotency-key") == "pay-1.payment.authorize.1.g1");
  CHECK(sent.header("authorization") == "Bearer sk_test_unit");
  CHECK(sent.header("stripe-version") == "2025-03-31.basil");
  for (const char* part :
       {"amount=1999", "currency=eur", "capture_method=manual", "confirm=true", "payment_method=pm_1",
        "return_url=https%3A%2F%2Fshop%2Fback%3Fa%3Db", "metadata%5Borderd_subject%5D=pay-1"})
    CHECK_THAT(sent.body, Catch::Contains(part));
}

TEST_CASE("stripe: what an answer to an authorization means") {
  struct Row {
    const char* what;
    HttpAnswer answer;
    std::int32_t kind;
    const char* code;
    bool soft;
  };
  const std::string funds =
      error("card_error", R"(,"code":"card_declined","decline_code":"insufficient_funds")");
  const std::string lost = error("card_error", R"(,"code":"card_declined","decline_code":"lost_card")");
  const std::string used = error("invalid_request_error", R"(,"code":"amount_too_small")");
  const std::vector<Row> rows{
      {"no funds", {402, funds}, ORDERD_DECLINED, "INSUFFICIENT_FUNDS", true},
      {"a lost card", {402, lost}, ORDERD_DECLINED, "PAYMENT_DECLINED", false},
      {"a wrong request", {400, used}, ORDERD_DECLINED, "AMOUNT_TOO_SMALL", false},
      {"a rate limit", {429, error("invalid_request_error")}, ORDERD_RETRY, "RATE_LIMITED", false},
      {"a wrong key", {401, error("invalid_request_error")}, ORDERD_RETRY, "STRIPE_KEY_REFUSED", false},
      {"a key without rights",
       {403, error("invalid_request_error")},
       ORDERD_RETRY,
       "STRIPE_KEY_FORBIDDEN",
       false},
      {"the key in use", {409, error("idempotency_error")}, ORDERD_UNKNOWN, "KEY_IN_USE", false},
      {"the key with other parameters",
       {400, error("idempotency_error")},
       ORDERD_UNKNOWN,
       "KEY_IN_USE",
       false},
      {"a failure of Stripe's", {500, error("api_error")}, ORDERD_UNKNOWN, "STRIPE_FAILED", false},
      {"a failure on the way", {503, "<html>"}, ORDERD_UNKNOWN, "STRIPE_FAILED", false},
      {"no sense", {200, "[]"}, ORDERD_UNKNOWN, "STRIPE_FAILED", false},
      {"something else",
       {200, R"({"object":"charge","id":"x"})"},
       ORDERD_UNKNOWN,
       "ANSWER_UNREADABLE",
       false},
      {"not sent", {0, "", {}, 0, ORDERD_HTTP_NOT_SENT, "refused"}, ORDERD_RETRY, "NOT_SENT", false},
      {"cut", {0, "", {}, 0, ORDERD_HTTP_MAYBE_SENT, "reset"}, ORDERD_UNKNOWN, "NO_ANSWER", false}};
  Shop shop;
  for (const Row& row : rows) {
    INFO(row.what);
    const Outcome outcome = shop.authorize(row.answer);
    CHECK(outcome.kind == row.kind);
    CHECK(outcome.code == row.code);
    CHECK(outcome.soft == row.soft);
  }
}

TEST_CASE("stripe: a rate limit is waited out as long as Stripe asks") {
  Shop shop;
  CHECK(shop.authorize({429, error("x"), {{"retry-after", "7"}}}).retry_after_ms == 7000);
  CHECK(shop.authorize({429, error("x"), {{"retry-after", "soon"}}}).retry_after_ms == 2000);
}

TEST_CASE(
    "stripe: 3-D Secure sends the buyer to the bank's page for a time that asking again does not move") {
  Shop shop(Settings{{"action_limit_s", "600"}});
  const std::string page =
      intent("requires_action",
             R"(,"next_action":{"type":"redirect_to_url","redirect_to_url":{"url":"https://b/3"}})");
  const Outcome outcome = shop.authorize({200, page});
  CHECK(outcome.kind == ORDERD_PENDING);
  CHECK(outcome.next_action_url == "https://b/3");
  CHECK(outcome.expires_ms <= now_ms() + 600'000);
  CHECK(outcome.expires_ms > now_ms() + 590'000);
  CHECK(shop.authorize({200, intent("requires_action")}).code == "ACTION_WITHOUT_PAGE");
  CHECK_THAT(shop.requests[0].body,
             Catch::Contains("error_on_requires_action=true"));  // no page to come back to
}

TEST_CASE("stripe: a stored answer is of long ago, so the payment is read again") {
  Shop shop;
  const Outcome outcome = shop.run(command("payment.authorize"),
                                   {{200, intent("requires_capture"), {{"idempotent-replayed", "true"}}},
                                    {200, intent("canceled", R"(,"latest_charge":{"status":"succeeded"})")}});
  CHECK(outcome.kind == ORDERD_DECLINED);
  CHECK(outcome.totals->voided == 1999);
  CHECK_THAT(shop.requests[1].url, Catch::Contains("/v1/payment_intents/pi_1?expand"));
}

TEST_CASE("stripe: a capture that was refused because it was made is done") {
  Shop shop;
  const std::string unexpected =
      error("invalid_request_error", R"(,"code":"payment_intent_unexpected_state")");
  std::string taken = intent("succeeded");
  taken.replace(taken.find("\"amount_received\":0"), 19, "\"amount_received\":1999");
  CHECK(shop.run(with_reference("payment.capture"), {{400, unexpected}, {200, taken}}).kind == ORDERD_DONE);
  CHECK(shop.run(with_reference("payment.capture", 5), {{400, unexpected}, {200, taken}}).code ==
        "CAPTURED_OTHERWISE");
  const std::string too_much = error("invalid_request_error", R"(,"code":"amount_too_large")");
  CHECK(
      shop.run(with_reference("payment.capture", 3000), {{400, too_much}, {200, intent("requires_capture")}})
          .code == "AMOUNT_TOO_LARGE");
  CHECK(shop.run(with_reference("payment.void"), {{400, unexpected}, {200, taken}}).totals->captured == 1999);
}

TEST_CASE("stripe: whether nothing is there is not said before the call's deadline and the search's lag") {
  Shop shop(Settings{{"lookup_lag_s", "60"}});
  CommandSpec spec = command("payment.authorize");
  const Outcome lost = shop.run(spec, {{500, error("api_error")}});
  REQUIRE(lost.kind == ORDERD_UNKNOWN);
  CommandSpec asked = query_of(spec);
  asked.state = *lost.state;
  const Outcome not_yet = shop.run(asked, {{200, R"({"data":[]})"}});
  CHECK(not_yet.query_answer == ORDERD_NOT_FOUND_YET);
  CHECK(not_yet.retry_after_ms == 10'000);
  asked.state = {1, R"({"intent":"","missing":")" + spec.key + R"(","since":1000})"};
  CHECK(shop.run(asked, {{200, R"({"data":[]})"}}).query_answer == ORDERD_NOT_FOUND_FINAL);
  CHECK(shop.run(asked, {{500, ""}}).query_answer == 0);  // a query that failed says nothing
}

TEST_CASE("stripe: amounts are Stripe's, and back") {
  struct Row {
    const char* currency;
    std::uint32_t exponent;
    std::int64_t amount;
    const char* sent;
  };
  Shop shop;
  for (const Row& row : {Row{"EUR", 2, 1999, "amount=1999&"}, Row{"JPY", 0, 500, "amount=500&"},
                         Row{"ISK", 0, 500, "amount=50000&"}, Row{"UGX", 0, 7, "amount=700&"},
                         Row{"MGA", 2, 300, "amount=3&"}, Row{"BHD", 3, 1250, "amount=1250&"}}) {
    CommandSpec spec = command("payment.authorize");
    spec.currency = row.currency;
    spec.exponent = row.exponent;
    spec.amount = row.amount;
    shop.run(spec, {{500, ""}});
    CHECK_THAT(shop.requests.back().body, Catch::Contains(row.sent));
  }
  const std::size_t before = shop.requests.size();
  for (const Row& row : {Row{"BHD", 3, 1255, ""}, Row{"MGA", 2, 301, ""}, Row{"JPY", 2, 500, ""},
                         Row{"EUR", 2, 0, ""}, Row{"", 2, 1, ""}}) {
    CommandSpec spec = command("payment.authorize");
    spec.currency = row.currency;
    spec.exponent = row.exponent;
    spec.amount = row.amount;
    CHECK(shop.run(spec, {{500, ""}}).code == "AMOUNT_NOT_SUPPORTED");
  }
  CHECK(shop.requests.size() == before);
}

TEST_CASE("stripe: no setting that makes no sense is taken") {
  const auto complaint = [](const Settings& settings) {
    FakeHost host(settings);
    Plugin plugin(host, orderd_plugin_entry_v1());
    return plugin.init();
  };
  CHECK_THAT(complaint({}), Catch::Contains("api_key"));
  CHECK_THAT(complaint({{"api_key", "sk_1 sk_2"}}), Catch::Contains("more than a key"));
  CHECK_THAT(complaint({{"api_key", "sk_test_x"}, {"api_url", "ftp://x"}}), Catch::Contains("https"));
  CHECK_THAT(complaint({{"api_key", "sk_test_x"}, {"apikey", "y"}}),
             Catch::Contains("\"apikey\" is unknown"));
  CHECK_THAT(complaint({{"api_key", "sk_test_x"}, {"lookup_lag_s", "x"}}), Catch::Contains("lookup_lag_s"));
}

namespace {

struct Event {
  std::string id, type, key, subject;
  Outcome outcome;
};

struct Heard {
  std::vector<Event> events;
  orderd_status status = ORDERD_E_INTERNAL;
  std::string problem;
};

Heard deliver(Shop& shop, const std::string& body, const std::string& header) {
  Heard heard;
  orderd_webhook_sink sink{
      &heard,
      [](const orderd_webhook_sink* self, const orderd_webhook_event* event) -> orderd_status {
        using orderd::sdk::text;
        static_cast<Heard*>(self->sink_data)
            ->events.push_back({std::string(text(event->event_id)), std::string(text(event->type)),
                                std::string(text(event->command_key)), std::string(text(event->subject)),
                                copy_of(*event->outcome)});
        return ORDERD_OK;
      },
      nullptr};
  const orderd_header one{orderd_text("stripe-signature"), orderd::sdk::view(header)};
  orderd_webhook_request request;
  ORDERD_CLEAR(request);
  request.method = orderd_text("POST");
  request.headers = &one;
  request.header_count = 1;
  request.body = orderd::sdk::view(body);
  request.received_ms = now_ms();
  orderd_error problem;
  ORDERD_CLEAR(problem);
  const auto* table = shop.plugin->extension<orderd_webhook_v1>(ORDERD_EXT_WEBHOOK);
  heard.status = table->handle(shop.plugin->abi(), &request, &sink, &problem);
  heard.problem = problem.message;
  return heard;
}

std::string header_for(const std::string& body, std::int64_t at_s = now_ms() / 1000) {
  const std::string at = std::to_string(at_s);
  return "t=" + at + ",v1=" + std::string(64, 'a') + ",v1=" + to_hex(hmac_sha256(secret, at + "." + body));
}

std::string event(const std::string& type, const std::string& object) {
  return R"({"id":"evt_1","type":")" + type + R"(","created":1700000000,"data":{"object":)" + object + "}}";
}

Event told(Shop& shop, const std::string& type, const std::string& object) {
  const std::string body = event(type, object);
  const Heard heard = deliver(shop, body, header_for(body));
  REQUIRE(heard.status == ORDERD_OK);
  REQUIRE(heard.events.size() == 1);
  return heard.events[0];
}

}  // namespace

TEST_CASE("stripe: a webhook is taken with one good signature of several, made lately, over these bytes") {
  Shop shop;
  const std::string body = event("payment_intent.succeeded", intent("succeeded"));
  CHECK(deliver(shop, body, header_for(body)).status == ORDERD_OK);
  CHECK(deliver(shop, body + " ", header_for(body)).status == ORDERD_E_INVALID);
  CHECK(deliver(shop, body, header_for(body, now_ms() / 1000 - 400)).status == ORDERD_E_INVALID);
  CHECK(deliver(shop, body, header_for(body, now_ms() / 1000 + 400)).status == ORDERD_E_INVALID);
  CHECK(deliver(shop, body, header_for(body, INT64_MAX)).status == ORDERD_E_INVALID);
  for (const char* header : {"", "t=", "t=1", "v1=00", "t=x,v1=y", ",,,=,", "t=1,v1=zz"})
    CHECK(deliver(shop, body, header).status == ORDERD_E_INVALID);
  Shop deaf(Settings{{"webhook_secret", ""}});
  CHECK(deliver(deaf, body, header_for(body)).status == ORDERD_E_INVALID);
}

TEST_CASE("stripe: what webhooks tell, with the key of the command that they end") {
  Shop shop;
  std::string taken = intent("succeeded");
  taken.replace(taken.find("\"amount_received\":0"), 19, "\"amount_received\":1999");
  taken.replace(taken.find("\"orderd_key\""), 12, "\"orderd_capture_key\":\"k-cap\",\"orderd_key\"");
  const Event captured = told(shop, "payment_intent.succeeded", taken);
  CHECK(captured.key == "k-cap");
  CHECK(captured.outcome.kind == ORDERD_DONE);
  CHECK(captured.outcome.totals->captured == 1999);
  const Event authorized = told(shop, "payment_intent.amount_capturable_updated", intent("requires_capture"));
  CHECK(authorized.key == "pay-1.payment.authorize.1.g1");
  CHECK(authorized.outcome.totals->authorized == 1999);
  const Event failed = told(shop, "payment_intent.payment_failed",
                            intent("requires_payment_method",
                                   R"(,"last_payment_error":{"type":"card_error","code":"expired_card"})"));
  CHECK(failed.outcome.kind == ORDERD_DECLINED);
  CHECK(failed.outcome.code == "EXPIRED_CARD");
  CHECK(told(shop, "payment_intent.canceled", intent("canceled")).outcome.code == "PAYMENT_EXPIRED");
  const Event released =
      told(shop, "payment_intent.canceled", intent("canceled", R"(,"latest_charge":"ch_1")"));
  CHECK(released.key.empty());
  CHECK(released.outcome.totals->voided == 1999);
}

TEST_CASE("stripe: a refund that fails late tells the totals of before it") {
  Shop shop;
  const auto refund = [](const std::string& status) {
    return R"({"object":"refund","id":"re_1","amount":1999,"currency":"eur","payment_intent":"pi_1",)"
           R"("status":")" +
           status +
           R"(","metadata":{"orderd_subject":"pay-1","orderd_key":"k-ref","orderd_authorized":"1999",)"
           R"("orderd_captured":"1999","orderd_refunded":"0","orderd_voided":"0"}})";
  };
  for (const char* type : {"refund.failed", "charge.refund.updated"}) {
    const Event failed = told(shop, type, refund("failed"));
    CHECK(failed.key == "k-ref");
    CHECK(failed.outcome.kind == ORDERD_DECLINED);
    CHECK(failed.outcome.totals->refunded == 0);
  }
  CHECK(told(shop, "refund.updated", refund("succeeded")).outcome.totals->refunded == 1999);
  CHECK(told(shop, "refund.updated", refund("pending")).outcome.kind == ORDERD_UNKNOWN);
  const Event dashboard =
      told(shop, "charge.refunded",
           R"({"object":"charge","amount":1999,"amount_captured":1999,"amount_refunded":700,)"
           R"("captured":true,"currency":"eur","payment_intent":"pi_1",)"
           R"("metadata":{"orderd_subject":"pay-1"}})");
  CHECK(dashboard.outcome.totals->refunded == 700);
  const std::string foreign = event("charge.refunded", R"({"object":"charge","captured":true})");
  CHECK(deliver(shop, foreign, header_for(foreign)).events.empty());
}
