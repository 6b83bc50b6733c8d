#include "base/uuid.h"

#include <catch2/catch.hpp>

#include "base/clock.h"

using orderd::Uuid;

TEST_CASE("version 7 ids rise strictly, also within one millisecond") {
  Uuid last = Uuid::v7();
  for (int i = 0; i < 20000; ++i) {
    const Uuid next = Uuid::v7();
    REQUIRE(last < next);
    last = next;
  }
}

TEST_CASE("a version 7 id carries its time, version and variant") {
  const Uuid id = Uuid::v7();
  CHECK(std::abs(id.unix_ms() - orderd::now().time_since_epoch().count()) < 60000);
  CHECK(id.bytes[6] >> 4 == 7);
  CHECK(id.bytes[8] >> 6 == 2);
}

TEST_CASE("a uuid is read in its canonical lower-case form only") {
  const std::string text = "01920000-0000-7abc-8def-0123456789ab";
  REQUIRE(Uuid::parse(text));
  CHECK(Uuid::parse(text)->to_string() == text);
  CHECK_FALSE(Uuid::parse("01920000-0000-7ABC-8def-0123456789ab"));
  CHECK_FALSE(Uuid::parse("0192000000007abc8def0123456789ab"));
  CHECK_FALSE(Uuid::parse("01920000-0000-7abc-8def-0123456789a"));
  CHECK_FALSE(Uuid::parse("01920000-0000-7abc-8def-0123456789ag"));
  CHECK_FALSE(Uuid::parse(""));
}
