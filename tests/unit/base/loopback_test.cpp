#include "base/loopback.h"

#include <catch2/catch.hpp>

using namespace orderd;

TEST_CASE("only this machine's own addresses are the loopback, and no name that looks like one") {
  for (const char* own : {"127.0.0.1", "127.255.3.4", "::1", "0:0:0:0:0:0:0:1"}) {
    CHECK(is_loopback_address(own));
    CHECK(is_loopback_host(own));
  }
  for (const char* host : {"localhost", "[::1]"}) {
    CHECK(is_loopback_host(host));
    CHECK_FALSE(is_loopback_address(host));
  }
  for (const char* other : {"127.attacker.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example",
                            "127.", "localhost.evil.example", "[::1].evil.example", "[]", "", "10.0.0.1",
                            "::", "0.0.0.0", "127.1", "[127.0.0.1"}) {
    CHECK_FALSE(is_loopback_address(other));
    CHECK_FALSE(is_loopback_host(other));
  }
}
