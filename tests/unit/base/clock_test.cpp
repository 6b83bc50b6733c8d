#include "base/clock.h"

#include <catch2/catch.hpp>

using namespace orderd;

TEST_CASE("a time goes to RFC 3339 and back") {
  const auto time = parse_rfc3339("2026-01-31T23:59:58.123Z");
  REQUIRE(time);
  CHECK(to_rfc3339(*time) == "2026-01-31T23:59:58.123Z");
}

TEST_CASE("offsets and short fractions are understood") {
  CHECK(to_rfc3339(*parse_rfc3339("2026-01-31T23:59:58+01:30")) == "2026-01-31T22:29:58.000Z");
  CHECK(to_rfc3339(*parse_rfc3339("2026-01-31T23:59:58.5-01:00")) == "2026-02-01T00:59:58.500Z");
}

TEST_CASE("what is not an RFC 3339 time is refused") {
  for (const char* text :
       {"", "2026-01-31", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-31T24:00:00Z",
        "2026-01-31T23:59:58", "2026-01-31 23:59:58Z", "2026-01-31T23:59:58.Z", "2026-01-31T23:59:58Zx",
        "tomorrow", "2026-+1-01T00:00:00Z", "2026--1-01T00:00:00Z", "2026- 1-01T00:00:00Z",
        "+026-01-01T00:00:00Z", "2026-01-01T+1:00:00Z", "2026-01-01T00:00: 0Z", "2026-01-01T00:00:00++1:00",
        "2026-01-01T00:00:00+01: 0", "2026-01-01T00:00:00+01:-1"})
    CHECK_FALSE(parse_rfc3339(text));
  using namespace std::string_view_literals;
  CHECK_FALSE(parse_rfc3339("2026-01-31T23:59:58Z\0"sv));
}
