#include "http/query.h"

#include <catch2/catch.hpp>

using namespace orderd::http;

TEST_CASE("Percent-encoding is decoded strictly") {
  CHECK(percent_decode("a+b%20%C3%BC%2f") == "a b \xc3\xbc/");
  for (const char* bad : {"%", "%4", "%zz", "%00", "%ff", "%c0%af", "%ed%a0%80", "%f4%90%80%80", "%c3"}) {
    INFO(bad);
    CHECK_FALSE(percent_decode(bad));
  }
  CHECK(percent_decode("%f0%9f%98%80"));
}

TEST_CASE("A query notes what is unknown, wrong or there twice") {
  Query good("limit=7&&customerId=a%26b&", {"limit", "customerId"});
  CHECK(good.integer("limit", {1, 100, 20}) == 7);
  CHECK(good.text("customerId") == "a&b");
  CHECK(good.errors().empty());
  CHECK(Query("", {"limit"}).integer("limit", {1, 100, 20}) == 20);

  Query bad("limit=0&limit=2&x=1&createdAfter=now", {"limit", "createdAfter"});
  CHECK(bad.integer("limit", {1, 100, 20}) == 20);
  CHECK_FALSE(bad.time("createdAfter"));
  std::vector<std::string> pointers;
  for (const auto& error : bad.errors()) pointers.push_back(error.pointer);
  CHECK(pointers == std::vector<std::string>{"/limit", "/x", "/limit", "/createdAfter"});
}

TEST_CASE("A cursor comes back as it was, and only to its own list") {
  for (const char* text : {"x", "01920000-0000-7000-8000-000000000000", "SKU ü/?"}) {
    const std::string cursor = make_cursor('o', text);
    CHECK(read_cursor('o', cursor) == text);
    CHECK_FALSE(read_cursor('p', cursor));
    CHECK_FALSE(read_cursor('o', cursor + "="));
    CHECK(cursor.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
          cursor.npos);
  }
  for (const char* bad : {"", "!", "b"}) CHECK_FALSE(read_cursor('o', bad));
}
