#include "intake/validate.h"

#include <catch2/catch.hpp>

#include "model/json.h"

using namespace orderd;
using namespace orderd::intake;

namespace {

const std::string minimal =
    R"({"customerId":"c","currency":"EUR","items":[{"sku":"A","quantity":3,"unitPrice":7}],)"
    R"("payment":{"method":"card","token":"tok"}})";

/// `minimal` with members put before its last brace.
std::string minimal_and(const std::string& members) {
  return minimal.substr(0, minimal.size() - 1) + "," + members + "}";
}

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

OrderDraft valid(const std::string& json) {
  auto result = validate_order(json);
  if (const auto* invalid = std::get_if<Invalid>(&result)) {
    INFO(json << (invalid->errors.empty() ? ""
                                          : invalid->errors[0].pointer + " " + invalid->errors[0].message));
    FAIL("refused");
  }
  return std::get<OrderDraft>(std::move(result));
}

Invalid refused(const std::string& json) {
  auto result = validate_order(json);
  INFO(json);
  REQUIRE(std::holds_alternative<Invalid>(result));
  return std::get<Invalid>(std::move(result));
}

std::string where(const std::string& json) {
  const Invalid invalid = refused(json);
  REQUIRE_FALSE(invalid.errors.empty());
  return invalid.errors[0].pointer;
}

}  // namespace

TEST_CASE("A minimal order becomes a draft with numbered lines and its total") {
  const OrderDraft draft = valid(minimal);
  CHECK(draft.body.total == 21);
  CHECK(draft.body.items.at(0).line_id == 1);
  CHECK(draft.body.payment_method == "card");
  CHECK(draft.body.metadata_json == "{}");
  CHECK(draft.secret_json == R"({"token":"tok"})");
  CHECK(draft.addresses_json == "{}");
}

TEST_CASE("Secrets and addresses are kept apart from the body") {
  const OrderDraft draft = valid(
      minimal_and(R"("buyer":{"email":"a@b.c","ip":"::1"},"billingAddress":{"line1":"x","country":"AT"})"));
  CHECK(draft.secret_json == R"({"token":"tok","buyer":{"email":"a@b.c","ip":"::1"}})");
  CHECK(draft.addresses_json == R"({"billingAddress":{"line1":"x","country":"AT"}})");
}

TEST_CASE("Adjustments count, up and down, to the edges of int64") {
  const auto with = [](const std::string& amount) {
    return minimal_and(R"("adjustments":[{"kind":"k","label":"l","amount":)" + amount + "}]");
  };
  CHECK(valid(with("-21")).body.total == 0);
  CHECK(where(with("-22")) == "/adjustments");
  CHECK(valid(with("9223372036854775786")).body.total == 9223372036854775807);
  CHECK(where(with("9223372036854775787")) == "/adjustments");
  CHECK(where(with("-9223372036854775808")) == "/adjustments");
  CHECK(where(with("9223372036854775808")) == "/adjustments/0/amount");
}

TEST_CASE("Characters are code points, not bytes") {
  for (const char* character : {"x", "ü", "€", "😀"}) {
    const auto with = [&](std::size_t count) {
      return R"({"customerId":")" + repeated(character, count) +
             minimal.substr(minimal.find("\",\"currency\""));
    };
    CHECK(valid(with(text_characters_max)).body.customer_id.size() ==
          text_characters_max * std::string(character).size());
    CHECK(where(with(text_characters_max + 1)) == "/customerId");
  }
}

TEST_CASE("Metadata is free but for its size, and keeps its order") {
  CHECK(valid(minimal_and(R"("metadata":{"b":[1,{"c":null}],"a":1.5})")).body.metadata_json ==
        R"({"b":[1,{"c":null}],"a":1.5})");
  const std::string fits = repeated("x", metadata_bytes_max - 8);  // {"k":"…"}
  CHECK(valid(minimal_and(R"("metadata":{"k":")" + fits + "\"}")).body.metadata_json.size() ==
        metadata_bytes_max);
  CHECK(where(minimal_and(R"("metadata":{"k":")" + fits + "x\"}")) == "/metadata");
}

TEST_CASE("Pointers escape what RFC 6901 escapes, and arrays count from 0") {
  CHECK(where(minimal_and(R"("a/b~c":1)")) == "/a~1b~0c");
  std::string two_lines = minimal;
  two_lines.insert(two_lines.find("]"), R"(,{"sku":"B"})");
  CHECK(where(two_lines) == "/items/1/quantity");
}

TEST_CASE("No more errors are listed than a person would read") {
  std::string members;
  for (int i = 0; i < 200; ++i) members += (i ? ",\"u" : "\"u") + std::to_string(i) + "\":1";
  CHECK(refused(minimal_and(members)).errors.size() == errors_max);
}

TEST_CASE("A card number is refused wherever it is but in a SKU or an amount, and is not repeated") {
  const std::string card = "4111111111111111";
  const std::vector<std::pair<std::string, std::string>> places{
      {R"("metadata":{"a":{"b":["x","4111111111111111"]}})", "/metadata/a/b/1"},
      {R"("metadata":{"4111 1111 1111 1111":1})", "/metadata"},
      {R"("metadata":{"amount":4111111111111111})", "/metadata/amount"},
      {R"("buyer":{"email":"4111111111111111"})", "/buyer/email"},
      {R"("shippingAddress":{"line2":"4111-1111-1111-1111"})", "/shippingAddress/line2"},
      {R"("cardNumber":"4111111111111111")", "/cardNumber"},
      {R"("adjustments":[{"kind":"k","label":"4111111111111111","amount":1}])", "/adjustments/0/label"}};
  for (const auto& [members, pointer] : places) {
    const Invalid invalid = refused(minimal_and(members));
    CHECK(invalid.kind == Invalid::Kind::card_number);
    CHECK(invalid.errors.at(0).pointer == pointer);
    CHECK((invalid.errors[0].pointer + invalid.errors[0].message).find("4111") == std::string::npos);
  }
  std::string sku = minimal;
  sku.replace(sku.find("\"A\""), 3, '"' + card + '"');
  CHECK(valid(sku).body.items[0].sku == card);
  CHECK(
      valid(minimal_and(R"("adjustments":[{"kind":"k","label":"l","amount":4111111111111111}])")).body.total >
      0);
}

TEST_CASE("A cancellation's reason is optional, and held to the same rules") {
  CHECK(std::get<CancelBody>(validate_cancel("")).reason.empty());
  CHECK(std::get<CancelBody>(validate_cancel("{}")).reason.empty());
  CHECK(std::get<CancelBody>(validate_cancel(R"({"reason":"late"})")).reason == "late");
  for (const char* bad :
       {"[]", "{", R"({"reason":1})", R"({"reason":""})", R"({"why":"x"})", R"({"reason":null})"}) {
    INFO(bad);
    CHECK(std::holds_alternative<Invalid>(validate_cancel(bad)));
  }
}

TEST_CASE("A number in metadata that would become another one is refused, and any other stays what it is") {
  for (const char* number : {"18446744073709551616", "123456789012345678901234567890",
                             "0.12345678901234567891", "-9223372036854775809.5", "9007199254740993.0"}) {
    INFO(number);
    CHECK(where(minimal_and(R"("metadata":{"a":[)" + std::string(number) + "]}")) == "/metadata/a/0");
  }
  for (const char* number : {"18446744073709551615", "-9223372036854775808", "0.1", "1.50", "1e3", "-0",
                             "100000000000000000000", "5e-324", "1E+2"}) {
    INFO(number);
    (void)valid(minimal_and(R"("metadata":{"a":[)" + std::string(number) + "]}"));
  }
}
