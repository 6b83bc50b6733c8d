#include <catch2/catch.hpp>

#include "functional/support/api_host.h"

using namespace orderd;
using namespace orderd::test;

namespace {

Answer cancel(ApiHost& host, const std::string& id, const std::string& body = "", Headers headers = {}) {
  return host.ask("POST", "/api/orders/" + id + "/cancel", body, [&] {
    if (!body.empty()) headers.emplace("Content-Type", "application/json");
    return headers;
  }());
}

}  // namespace

TEST_CASE("A cancellation is one event with the given reason, and keeps what is known of the payment") {
  ApiHost host;
  const std::string id = host.place();
  host.advance(id, EventType::payment_authorized, Status::payment_authorized, PaymentStatus::authorized);
  const Answer answer = cancel(host, id, R"({"reason":"changed my mind"})");
  INFO(answer.body);
  CHECK(answer.status == 202);
  CHECK(answer.field("etag") == "\"3\"");
  const json::Document order = parsed(answer);
  CHECK(text(order, "status") == "CANCELLING");
  CHECK(text(order["statusReason"], "code") == "CANCELLED_BY_REQUEST");
  CHECK(text(order["statusReason"], "message") == "changed my mind");
  CHECK(text(order["payment"], "status") == "AUTHORIZED");
  CHECK(order["history"].Size() == 3);
  CHECK(host.database.number("select status::int8 from order_state") == 5);
  CHECK(host.get("/api/orders/" + id).body == answer.body);
  // Again: accepted, and nothing new happens.
  CHECK(cancel(host, id).status == 202);
  CHECK(host.database.number("select count(*) from order_events") == 3);
}

TEST_CASE("What a cancellation answers depends on the order's state") {
  struct Row {
    Status status;
    PaymentStatus payment;
    EventType type;
    int answer;
    bool writes;
  };
  const std::vector<Row> rows{
      {Status::payment_authorized, PaymentStatus::authorized, EventType::payment_authorized, 202, true},
      {Status::inventory_reserved, PaymentStatus::authorized, EventType::inventory_reserved, 202, true},
      {Status::confirmed, PaymentStatus::captured, EventType::order_confirmed, 202, true},
      {Status::cancelling, PaymentStatus::authorized, EventType::order_compensating, 202, false},
      {Status::cancelled, PaymentStatus::voided, EventType::order_cancelled, 200, false},
      {Status::rejected, PaymentStatus::failed, EventType::order_rejected, 409, false},
  };
  ApiHost host;
  for (const Row& row : rows) {
    const std::string id = host.place();
    host.advance(id, row.type, row.status, row.payment);
    const Answer answer = cancel(host, id);
    INFO(name(row.status) << answer.body);
    CHECK(answer.status == row.answer);
    CHECK(host.database.number("select version::int8 from order_state where id = '" + id + "'") ==
          (row.writes ? 3 : 2));
    if (row.answer == 409) CHECK(code_of(answer) == "ORDER_NOT_CANCELLABLE");
  }
}

TEST_CASE("If-Match lets only the version through that the client has seen") {
  ApiHost host;
  const std::string id = host.place();
  for (const char* other : {"\"2\"", "W/\"1\"", "\"x\""}) {
    const Answer answer = cancel(host, id, "", {{"If-Match", other}});
    CHECK(answer.status == 412);
    CHECK(code_of(answer) == "VERSION_MISMATCH");
  }
  CHECK(cancel(host, id, "", {{"If-Match", "1"}}).status == 400);
  CHECK(host.database.number("select count(*) from order_events") == 1);
  CHECK(cancel(host, id, "", {{"If-Match", "\"7\", \"1\""}}).status == 202);
}

TEST_CASE("A repeated cancellation with its key gets the first answer, also after the order went on") {
  ApiHost host;
  const std::string id = host.place();
  const Answer first = cancel(host, id, "", {{"Idempotency-Key", "k"}});
  REQUIRE(first.status == 202);
  host.advance(id, EventType::order_cancelled, Status::cancelled, PaymentStatus::voided);
  const Answer again = cancel(host, id, "", {{"Idempotency-Key", "k"}});
  CHECK(again.status == 202);
  CHECK(again.field("idempotent-replayed") == "true");
  CHECK(again.body == first.body);
  CHECK(cancel(host, id, R"({"reason":"other"})", {{"Idempotency-Key", "k"}}).status == 422);
  CHECK(cancel(host, id).status == 200);
}

TEST_CASE("A reason that is no text is refused, and the order stays as it is") {
  ApiHost host;
  const std::string id = host.place();
  const Answer answer = cancel(host, id, R"({"reason":"a\udc00b"})");
  CHECK(answer.status == 400);
  CHECK(code_of(answer) == "MALFORMED_JSON");
  CHECK(host.database.number("select count(*) from order_events") == 1);
}

TEST_CASE("A refused cancellation uses no key up, and an unknown order is not found") {
  ApiHost host;
  const std::string id = host.place();
  CHECK(cancel(host, id, "", {{"Idempotency-Key", "k"}, {"If-Match", "\"9\""}}).status == 412);
  CHECK(cancel(host, id, "", {{"Idempotency-Key", "k"}}).status == 202);
  const Answer unknown = cancel(host, "01920000-0000-7000-8000-000000000000");
  CHECK(unknown.status == 404);
  CHECK(code_of(unknown) == "ORDER_NOT_FOUND");
  CHECK(cancel(host, "no-id").status == 404);
  CHECK(cancel(host, id, R"({"reason":7})").status == 400);
  CHECK(cancel(host, id, R"({"reson":"x"})").status == 400);
  CHECK(cancel(host, id, R"({"reason":"my card is 4111 1111 1111 1111"})").status == 422);
}
