// Helpers of the SDK: amounts and JSON as providers write them.
#include <catch2/catch.hpp>
#include <orderd/decimal.hpp>
#include <orderd/json.hpp>

using namespace orderd::sdk;

TEST_CASE("An amount in decimals is exactly that many minor units, or none", "[sdk]") {
  CHECK(from_decimal("19.99", 2) == 1999);
  CHECK(from_decimal("19.9", 2) == 1990);
  CHECK(from_decimal("19.900", 2) == 1990);
  CHECK(from_decimal("500", 0) == 500);
  CHECK(from_decimal("500.00", 0) == 500);
  CHECK(from_decimal("1.250", 3) == 1250);
  CHECK(from_decimal("-0.05", 2) == -5);
  CHECK(from_decimal("92233720368547758.07", 2) == INT64_MAX);
  CHECK(from_decimal("-92233720368547758.08", 2) == INT64_MIN);
  for (const char* none :
       {"", "-", ".5", "5.", "1e3", "1,000", "+1", " 1", "1.999", "92233720368547758.08", "0x1"})
    CHECK_FALSE(from_decimal(none, 2));
}

TEST_CASE("Minor units are written in the currency's own decimals", "[sdk]") {
  CHECK(to_decimal(1999, 2) == "19.99");
  CHECK(to_decimal(5, 3) == "0.005");
  CHECK(to_decimal(-5, 2) == "-0.05");
  CHECK(to_decimal(500, 0) == "500");
  CHECK(to_decimal(INT64_MIN, 2) == "-92233720368547758.08");
  for (const std::uint32_t exponent : {0u, 2u, 3u, 4u})
    CHECK(from_decimal(to_decimal(-123456789, exponent), exponent) == -123456789);
}

TEST_CASE("A currency tells its decimals", "[sdk]") {
  CHECK(currency_exponent("EUR") == 2u);
  CHECK(currency_exponent("JPY") == 0u);
  CHECK(currency_exponent("KWD") == 3u);
  CHECK_FALSE(currency_exponent("eur"));
  CHECK_FALSE(currency_exponent("IF "));
  CHECK_FALSE(currency_exponent("EURO"));
}

TEST_CASE("JSON's numbers stay as they were written", "[sdk]") {
  const auto read = Json::parse(
      R"( {"amount":{"value":19.90,"big":9223372036854775807},"ok":true,"list":["a\u00e9\n",null]} )");
  REQUIRE(read);
  const Json* amount = read->find("amount");
  REQUIRE(amount);
  CHECK(amount->find("value")->number() == "19.90");
  CHECK_FALSE(amount->find("value")->integer());
  CHECK(amount->find("big")->integer() == INT64_MAX);
  CHECK(read->find("ok")->boolean() == true);
  CHECK(read->find("list")->members()[0].second.text() == "a\xc3\xa9\n");
  CHECK(read->find("nothing") == nullptr);
}

TEST_CASE("What is no JSON is none, however deep", "[sdk]") {
  for (const std::string& bad : {std::string(), std::string("{"), std::string("{\"a\":1,\"a\":2}"),
                                 std::string("[1,]"), std::string("01"), std::string("1 2"),
                                 std::string("'a'"), std::string("tru"), std::string(100000, '[')})
    CHECK_FALSE(Json::parse(bad));
}

TEST_CASE("What is written is read again as it was", "[sdk]") {
  const std::string odd = "quote \" backslash \\ line \n bell \x07 é";
  const std::string written =
      JsonWriter().add("text", odd).add("n", std::int64_t{-7}).add("yes", true).raw("more", "[1]").text();
  const auto read = Json::parse(written);
  REQUIRE(read);
  CHECK(read->find("text")->text() == odd);
  CHECK(read->find("n")->integer() == -7);
  CHECK(read->find("more")->members().size() == 1);
}
