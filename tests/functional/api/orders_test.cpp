#include <catch2/catch.hpp>

#include "functional/support/api_host.h"

using namespace orderd;
using namespace orderd::test;

TEST_CASE("An order is answered at commit with Location, ETag, tracking token and the whole order") {
  ApiHost host;
  const Answer answer = host.post("/api/orders", order_body());
  INFO(answer.body);
  REQUIRE(answer.status == 201);
  const json::Document order = parsed(answer);
  const std::string id = text(order, "id");
  CHECK(answer.field("location") == "/api/orders/" + id);
  CHECK(answer.field("etag") == "\"1\"");
  CHECK(answer.field("content-type") == "application/json");
  CHECK_FALSE(answer.field("x-request-id").empty());
  CHECK(text(order, "status") == "PENDING");
  CHECK(order["version"].GetInt() == 1);
  CHECK(order["totalAmount"].GetInt() == 4188);
  CHECK(text(order["payment"], "status") == "NONE");
  CHECK(order["items"][0]["lineId"].GetInt() == 1);
  CHECK(order["history"].Size() == 1);
  CHECK_FALSE(text(order, "trackingToken").empty());
  for (const char* secret : {"tok_ok", "anna@example.org", "Graz"}) CHECK(answer.body.find(secret) == std::string::npos);

  const Answer read = host.get("/api/orders/" + id);
  CHECK(read.status == 200);
  CHECK(read.field("etag") == "\"1\"");
  CHECK(text(parsed(read), "customerId") == "c-42");
  CHECK(host.database.number("select count(*) from orders where body->'shippingAddress'->>'city' = 'Graz'") == 1);
  CHECK(host.database.number("select count(*) from payment_secrets") == 1);
  CHECK(host.database.number("select count(*) from order_events where payload::text like '%Graz%'") == 0);
}

TEST_CASE("An order of nothing needs no payment and keeps no token") {
  ApiHost host;
  const Answer answer = host.post("/api/orders", R"({"customerId":"c","currency":"JPY","items":[{"sku":"A","quantity":1,)"
                                                 R"("unitPrice":0}],"payment":{"method":"card","token":"tok_ok"}})");
  REQUIRE(answer.status == 201);
  CHECK(text(parsed(answer)["payment"], "status") == "NOT_REQUIRED");
  CHECK(host.database.number("select count(*) from payment_secrets") == 0);
}
