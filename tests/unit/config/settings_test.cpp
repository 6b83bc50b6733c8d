#include <catch2/catch.hpp>

#include "config/settings.h"

using namespace orderd::config;

namespace {

Settings read(std::map<std::string, std::string> lines) {
  RawValues values;
  for (const auto& [key, value] : lines) values[key] = {value, "test.properties"};
  return from_values(values);
}

}  // namespace

TEST_CASE("Off the loopback plain text must be meant") {
  for (const char* address : {"127.0.0.1", "127.0.0.9", "::1"})
    CHECK_NOTHROW(read({{"http.address", address}}));
  for (const char* address : {"0.0.0.0", "::", "192.0.2.1", "2001:db8::1"}) {
    INFO(address);
    CHECK_THROWS_WITH(read({{"http.address", address}}), Catch::Contains("insecure = yes"));
    CHECK_NOTHROW(read({{"http.address", address}, {"insecure", "yes"}}));
    CHECK_NOTHROW(read({{"http.address", address}, {"roles", "saga, relay"}}));
  }
}

TEST_CASE("Keys are required unless somebody says otherwise") {
  CHECK(read({}).access_keys == "required");
  CHECK(read({{"access.keys", "off"}}).access_keys == "off");
  CHECK_THROWS_AS(read({{"access.keys", "no"}}), ConfigError);
}

TEST_CASE("A plugin's memory is unlimited or enough to load it, and its threads are few or none") {
  const auto payment = [](const std::string& key, const std::string& value) {
    return read({{"plugin.payment.library", "x.so"}, {"plugin.payment." + key, value}}).plugins["payment"];
  };
  CHECK(payment("memory_mb", "0").memory_mb == 0);
  CHECK(payment("memory_mb", "32").memory_mb == 32);
  CHECK_THROWS_WITH(payment("memory_mb", "31"), Catch::Contains("at least 32"));
  CHECK(payment("threads", "0").threads == 0);
  CHECK_THROWS_WITH(payment("threads", "65"), Catch::Contains("0 to 64"));
}

TEST_CASE("Origins are written as browsers send them") {
  CHECK(read({{"http.cors_origins", "https://shop.example, http://localhost:8080"}}).http_cors_origins ==
        std::vector<std::string>{"https://shop.example", "http://localhost:8080"});
  for (const char* bad : {"*", "shop.example", "https://", "https://shop.example/", "https://*.example"}) {
    INFO(bad);
    CHECK_THROWS_AS(read({{"http.cors_origins", bad}}), ConfigError);
  }
}
