// Every limit of the API: which status, code and pointer a request beyond it gets, and that nothing is
// written.
#include <catch2/catch.hpp>

#include "functional/support/api_host.h"

using namespace orderd;
using namespace orderd::test;

namespace {

std::string repeated(const std::string& text, std::size_t count, const std::string& between = "") {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += (i ? between : "") + text;
  return out;
}

/// A valid order with one part of its text replaced.
std::string with(const std::string& from, const std::string& to) {
  std::string body = order_body();
  const auto at = body.find(from);
  REQUIRE(at != body.npos);
  return body.replace(at, from.size(), to);
}

std::string line(const std::string& quantity, const std::string& price) {
  return R"({"sku":"A","quantity":)" + quantity + R"(,"unitPrice":)" + price + "}";
}
const std::string first_line = R"({"sku":"SKU-0001","quantity":2,"unitPrice":1999})";
const std::string metadata = R"("metadata":{"cart":"88f1"})";

struct Case {
  const char* what;
  std::string body;
  int status;
  const char *code, *pointer;
};

std::string numbered_keys(std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += (i ? ",\"k" : "\"k") + std::to_string(i) + "\":1";
  return out;
}

std::vector<Case> texts_that_are_not_read() {
  return {
      {"not JSON", "{\"customerId\"", 400, "MALFORMED_JSON", ""},
      {"no body", "", 400, "MALFORMED_JSON", ""},
      {"no object", "[]", 400, "INVALID_REQUEST", ""},
      {"a name twice", with(R"("currency":"EUR")", R"("currency":"EUR","currency":"USD")"), 400,
       "MALFORMED_JSON", "/currency"},
      {"NUL in text", with("c-42", "c\\u0000"), 400, "MALFORMED_JSON", "/customerId"},
      {"half a surrogate pair", with("c-42", "c\\udc00"), 400, "MALFORMED_JSON", "/customerId"},
      {"half a pair as a name", with("cart", "\\udfff"), 400, "MALFORMED_JSON", "none"},
      {"201 adjustments",
       with(R"({"kind":"shipping","label":"Parcel","amount":490})",
            repeated(R"({"kind":"k","label":"l","amount":1})", 201, ",")),
       400, "INVALID_REQUEST", "/adjustments"},
      {"bad UTF-8", with("c-42", "\xff"), 400, "MALFORMED_JSON", ""},
      {"too deep", with(R"("88f1")", repeated("[", 31) + repeated("]", 31)), 400, "MALFORMED_JSON", "none"},
  };
}

std::vector<Case> cases() {
  const std::string too_long = repeated("ü", 201);
  return {
      {"unknown field", with(R"("currency")", R"("currncy":1,"currency")"), 400, "INVALID_REQUEST",
       "/currncy"},
      {"unknown field of a line", with(R"("quantity":2)", R"("quantity":2,"name":"x")"), 400,
       "INVALID_REQUEST", "/items/0/name"},
      {"unknown field of the payment", with(R"("token")", R"("cvc":"1","token")"), 400, "INVALID_REQUEST",
       "/payment/cvc"},
      {"unknown field of an address", with(R"("city")", R"("planet":"x","city")"), 400, "INVALID_REQUEST",
       "/shippingAddress/planet"},
      {"no customer", with(R"("customerId":"c-42",)", ""), 400, "INVALID_REQUEST", "/customerId"},
      {"empty customer", with("c-42", ""), 400, "INVALID_REQUEST", "/customerId"},
      {"customer of 201 characters", with("c-42", too_long), 400, "INVALID_REQUEST", "/customerId"},
      {"customer is a number", with(R"("c-42")", "42"), 400, "INVALID_REQUEST", "/customerId"},
      {"control character", with("c-42", "c\\n"), 400, "INVALID_REQUEST", "/customerId"},
      {"no such currency", with("EUR", "EUX"), 400, "INVALID_REQUEST", "/currency"},
      {"currency in small letters", with("EUR", "eur"), 400, "INVALID_REQUEST", "/currency"},
      {"no lines", with(first_line, ""), 400, "INVALID_REQUEST", "/items"},
      {"201 lines", with(first_line, repeated(line("1", "1"), 201, ",")), 400, "INVALID_REQUEST", "/items"},
      {"a line is no object", with(first_line, "1"), 400, "INVALID_REQUEST", "/items/0"},
      {"quantity 0", with(first_line, line("0", "1")), 400, "INVALID_REQUEST", "/items/0/quantity"},
      {"quantity 1,000,001", with(first_line, line("1000001", "1")), 400, "INVALID_REQUEST",
       "/items/0/quantity"},
      {"quantity 1.5", with(first_line, line("1.5", "1")), 400, "INVALID_REQUEST", "/items/0/quantity"},
      {"quantity as text", with(first_line, line("\"1\"", "1")), 400, "INVALID_REQUEST", "/items/0/quantity"},
      {"price -1", with(first_line, line("1", "-1")), 400, "INVALID_REQUEST", "/items/0/unitPrice"},
      {"price above 10^12", with(first_line, line("1", "1000000000001")), 400, "INVALID_REQUEST",
       "/items/0/unitPrice"},
      {"price 19.99", with(first_line, line("1", "19.99")), 400, "INVALID_REQUEST", "/items/0/unitPrice"},
      {"price 1e3", with(first_line, line("1", "1e3")), 400, "INVALID_REQUEST", "/items/0/unitPrice"},
      {"price above uint64", with(first_line, line("1", "99999999999999999999")), 400, "INVALID_REQUEST",
       "/items/0/unitPrice"},
      {"lines above int64", with(first_line, repeated(line("1000000", "1000000000000"), 10, ",")), 400,
       "INVALID_REQUEST", "/items"},
      {"adjustments above int64", with("490", "9223372036854775807"), 400, "INVALID_REQUEST", "/adjustments"},
      {"total below 0", with("-300", "-5000"), 400, "INVALID_REQUEST", "/adjustments"},
      {"adjustment of 1.5", with("490", "1.5"), 400, "INVALID_REQUEST", "/adjustments/0/amount"},
      {"label of 201 characters", with("Parcel", too_long), 400, "INVALID_REQUEST", "/adjustments/0/label"},
      {"no payment", with(R"("payment":{"method":"card","token":"tok_ok"},)", ""), 400, "INVALID_REQUEST",
       "/payment"},
      {"no token", with(R"(,"token":"tok_ok")", ""), 400, "INVALID_REQUEST", "/payment/token"},
      {"return address is none", with(R"("token")", R"("returnUrl":"javascript:x","token")"), 400,
       "INVALID_REQUEST", "/payment/returnUrl"},
      {"buyer is no object", with(R"({"email":"anna@example.org"})", "7"), 400, "INVALID_REQUEST", "/buyer"},
      {"metadata of 51 keys", with(metadata, R"("metadata":{)" + numbered_keys(51) + "}"), 400,
       "INVALID_REQUEST", "/metadata"},
      {"metadata of more than 8 KiB", with("88f1", repeated("x", 8 * 1024)), 400, "INVALID_REQUEST",
       "/metadata"},
      {"metadata is no object", with(R"({"cart":"88f1"})", "[]"), 400, "INVALID_REQUEST", "/metadata"},
      {"card number in a text", with("c-42", "4111111111111111"), 422, "CARD_NUMBER_REFUSED", "/customerId"},
      {"card number with dashes", with("88f1", "pay 5555-5555-5555-4444 soon"), 422, "CARD_NUMBER_REFUSED",
       "/metadata/cart"},
      {"card number as a number", with(R"("88f1")", "4111111111111111"), 422, "CARD_NUMBER_REFUSED",
       "/metadata/cart"},
      {"card number as token", with("tok_ok", "3782 822463 10005"), 422, "CARD_NUMBER_REFUSED",
       "/payment/token"},
  };
}

}  // namespace

TEST_CASE("Each limit of an order is refused with its code and pointer, and nothing is written") {
  ApiHost host;
  std::vector<Case> all = cases();
  for (const Case& one : texts_that_are_not_read()) all.push_back(one);
  for (const Case& one : all) {
    const Answer answer = host.post("/api/orders", one.body, {{"Idempotency-Key", "limits"}});
    INFO(one.what << ": " << answer.body);
    CHECK(answer.status == one.status);
    CHECK(code_of(answer) == one.code);
    if (one.pointer != std::string("none")) CHECK(first_pointer(answer) == one.pointer);
    CHECK(answer.body.find("411111") == std::string::npos);
  }
  CHECK(host.database.number("select count(*) from orders") == 0);
  CHECK(host.database.number("select count(*) from order_events") == 0);
  CHECK(host.database.number("select count(*) from idempotency_keys") == 0);
  // A validation error has not used the key up.
  CHECK(host.post("/api/orders", order_body(), {{"Idempotency-Key", "limits"}}).status == 201);
}

TEST_CASE("A query parameter that an order's routes do not know is refused, and nothing happens") {
  ApiHost host;
  const std::string order = "/api/orders/" + host.place();
  for (const auto& [method, path] : {std::pair<std::string, std::string>{"POST", "/api/orders?dryRun=true"},
                                     {"POST", order + "/cancel?force=1"},
                                     {"GET", order + "?expand=lines"},
                                     {"GET", order + "/explain?x"}}) {
    const Answer answer =
        host.ask(method, path, method == "POST" ? order_body() : "", {{"Content-Type", "application/json"}});
    INFO(path << ": " << answer.body);
    CHECK(answer.status == 400);
    CHECK(code_of(answer) == "INVALID_PARAMETER");
  }
  CHECK(host.database.number("select count(*) from order_events") == 1);
}

TEST_CASE("What just fits the limits is taken") {
  ApiHost host;
  const std::vector<std::string> bodies{
      with("c-42", repeated("ü", 200)),
      with(first_line, repeated(line("1", "1"), 200, ",")),
      with(first_line, line("1000000", "1000000000")),
      with(first_line, line("1", "1000000000000")),
      with(metadata, R"("metadata":{)" + numbered_keys(50) + "}"),
      with(R"("88f1")", repeated("[", 30) + repeated("]", 30)),
      with("SKU-0001", "4111111111111111"),
      with("490", "9223372036854771000"),
      with(R"("token")", R"("returnUrl":"https://shop.example/return?x=1","token")"),
  };
  for (const std::string& body : bodies) {
    const Answer answer = host.post("/api/orders", body);
    INFO(body.substr(0, 300) << answer.body);
    CHECK(answer.status == 201);
  }
}

TEST_CASE("A body above 256 KiB is refused as a whole") {
  ApiHost host;
  const Answer answer = host.post("/api/orders", with("88f1", std::string(257 * 1024, 'x')));
  CHECK(answer.status == 413);
  CHECK(code_of(answer) == "BODY_TOO_LARGE");
}

TEST_CASE("All that is wrong is said at once") {
  ApiHost host;
  const Answer answer = host.post("/api/orders", R"({"currency":"XXX","items":[],"payment":{}})");
  const json::Document problem = parsed(answer);
  CHECK(answer.status == 400);
  CHECK(problem["errors"].Size() == 5);
  CHECK(problem["status"].GetInt() == 400);
  CHECK(problem["retryable"].IsFalse());
  CHECK(text(problem, "instance") == "/api/orders");
  CHECK(text(problem, "requestId") == answer.field("x-request-id"));
}
