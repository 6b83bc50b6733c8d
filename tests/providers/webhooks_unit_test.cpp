// plugins/projection/webhooks, its pure part: names, bodies, signatures, schedules, settings.
#include <orderd/testing.hpp>

#include <catch2/catch.hpp>

#include "standard.h"

using namespace merchant_webhooks;

namespace {

struct OnHost {
  OnHost() { host.phase = orderd::testing::Phase::started; }
  orderd::testing::FakeHost host;
  orderd::sdk::Signature signature{orderd::sdk::Host(host.abi())};
};

}  // namespace

TEST_CASE("webhooks: the specification's own example is signed as it says") {
  OnHost on;
  const auto keys = read_secrets("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  const Message message{"msg_p5jXN8AQM9LWM0D4loKWxJek", R"({"test": 2432232314})", 1614265330};
  CHECK(signature_of(message, keys, on.signature) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  const auto two = read_secrets("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\nwhsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAA");
  const std::string both = signature_of(message, two, on.signature);
  CHECK(both.substr(0, 48) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= ");
  CHECK(both.substr(48, 3) == "v1,");
}

TEST_CASE("webhooks: base64 there and back, of any length") {
  std::string bytes;
  for (int i = 0; i < 40; ++i) {
    std::string back;
    if (!bytes.empty()) {
      REQUIRE(from_base64(base64(bytes), back));
      CHECK(back == bytes);
    }
    bytes += static_cast<char>(i * 37);
  }
  std::string out;
  for (const char* wrong : {"", "A", "AAAAA", "AA*A", "AA A"}) CHECK_FALSE(from_base64(wrong, out));
}

TEST_CASE("webhooks: secrets that are none are refused, and not shown") {
  for (const char* wrong : {"", "secret", "whsec_", "whsec_****", "whsec_c2hvcnQ="}) {
    INFO(wrong);
    CHECK_THROWS_WITH(read_secrets(wrong), Catch::Contains("setting \"secret\""));
  }
  const std::string one = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw ";
  CHECK_THROWS_WITH(read_secrets(one + one + one + one + one + one), Catch::Contains("one to five"));
}

TEST_CASE("webhooks: an event's name and body") {
  CHECK(type_of("ORDER_CANCEL_REQUESTED") == "order.cancel_requested");
  orderd_event event;
  ORDERD_CLEAR(event);
  event.version = 2;
  event.at_ms = 1'700'000'000'007;
  event.order_id = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
  event.type = orderd_text("PAYMENT_AUTHORIZED");
  event.status = orderd_text("PAYMENT_AUTHORIZED");
  event.payment_status = orderd_text("AUTHORIZED");
  event.payload_json = orderd_text(R"({"reason":null})");
  const orderd::sdk::EventView view(&event);
  CHECK(message_id(uuid_text(view.order_id()), 2) == "msg_01020304-0506-0708-090a-0b0c0d0e0f10_2");
  CHECK(body_of(view) ==
        R"({"type":"payment.authorized","timestamp":"2023-11-14T22:13:20.007Z","data":{"orderId":)"
        R"("01020304-0506-0708-090a-0b0c0d0e0f10","version":2,"status":"PAYMENT_AUTHORIZED",)"
        R"("paymentStatus":"AUTHORIZED","event":{"reason":null}}})");
}

TEST_CASE("webhooks: a schedule says when to come again, and when no more") {
  const auto schedule = read_schedule("5 300, 86400");
  CHECK(wait_ms(schedule, 1, 0) == 5000);
  CHECK(wait_ms(schedule, 1, 99) > 5000);
  CHECK(wait_ms(schedule, 3, 99) < 86'400'000 + 8'640'000);
  CHECK(wait_ms(schedule, 4, 0) < 0);
  CHECK(wait_ms({}, 1, 0) < 0);
  CHECK_THROWS_WITH(read_schedule("5 soon"), Catch::Contains("\"soon\""));
  CHECK_THROWS_WITH(read_schedule("99999999"), Catch::Contains("2592000"));
}

TEST_CASE("webhooks: types and replays that do not exist are refused by name") {
  CHECK(read_types("order.created, order.rejected").size() == 2);
  CHECK(read_types("").empty());
  CHECK_THROWS_WITH(read_types("order.made"),
                    Catch::Contains("\"order.made\"") && Catch::Contains("order.created"));
  CHECK(read_replay("2026-09-01T00:00:00Z").to == "infinity");
  CHECK(read_replay("failed 2026-09-01T00:00:00Z/2026-09-02T00:00:00Z").failed_only);
  for (const char* wrong :
       {"", "failed", "2026-09-01", "2026-13-01T00:00:00Z", "2026-09-01T00:00:00Z/x", "all"})
    CHECK_THROWS_WITH(read_replay(wrong), Catch::Contains("setting \"replay\""));
}
