#include "config/mask.h"

#include <catch2/catch.hpp>

#include "config/postgres_url.h"

using namespace orderd::config;

TEST_CASE("A password in a URL is hidden up to the last @, encoded or not") {
  CHECK(masked_text("postgresql://orderd:hun%zzter2@db/orderd") == "postgresql://orderd:***@db/orderd");
  CHECK(masked_text("postgresql://orderd:hun@ter/2@db/orderd") == "postgresql://orderd:***@db/orderd");
  CHECK(masked_text("postgresql://orderd@db/orderd?sslmode=require") ==
        "postgresql://orderd@db/orderd?sslmode=require");
  CHECK(masked_text("at https://sk_live_1@bank.example/x and https://shop.example/") ==
        "at https://***@bank.example/x and https://shop.example/");
  CHECK(masked_text("two: redis://:a@h, postgres://r:b@h.") == "two: redis://***@h, postgres://r:***@h.");
}

TEST_CASE("Values of secret names are hidden in any text") {
  CHECK(masked_text("host=db password='it\\'s mine' user=x") == "host=db password=*** user=x");
  CHECK(masked_text("https://x.example/?a=1&token=abc&b=2") == "https://x.example/?a=1&token=***&b=2");
  CHECK(masked_text("Api_Key = abc; next") == "Api_Key = ***; next");
  CHECK(masked_text("access.keys = required, secrets.key_file = /etc/k") ==
        "access.keys = required, secrets.key_file = /etc/k");
}

TEST_CASE("Settings of plugins are hidden by what their names may mean") {
  for (const char* name : {"api_key", "Secret", "token", "password", "credentials", "basic_auth", "passcode"})
    CHECK(masked("plugin.payment.settings." + std::string(name), "abc") == "***");
  CHECK(masked("plugin.payment.settings.url", "abc") == "abc");
  CHECK(masked("plugin.keyed.settings.url", "abc") == "abc");
  CHECK(masked("plugin.payment.secret.api_key", "/etc/file") == "/etc/file");
  CHECK(masked("secrets.key_file", "/etc/file") == "/etc/file");
  CHECK(masked("access.keys", "required") == "required");
  CHECK(masked("kafka.sasl.password", "abc") == "***");
}

TEST_CASE(
    "A connection string that libpq cannot read, or takes a password's part for a host of, is refused") {
  for (const char* bad :
       {"postgresql://orderd:hun%zzter2@db/orderd", "postgresql://orderd:hun@ter2@db/orderd",
        "postgresql://orderd:hun/ter2@db/orderd", "postgresql://orderd:1/ter2@db/orderd",
        "postgresql://db:hunter2/orderd", "postgresql://db/orderd?sslmod=x", "host=db nonsense=hunter2",
        "host=db port=hunter2"}) {
    INFO(bad);
    const std::string problem = postgres_url_problem(bad);
    CHECK_FALSE(problem.empty());
    CHECK(problem.find("ter2") == problem.npos);
  }
  for (const char* good :
       {"postgresql:///orderd", "postgresql://orderd:hun%40ter2@db:5432/orderd?sslmode=verify-full",
        "postgresql://a:1,b:2/orderd", "postgresql://%2Frun%2Fpostgresql/orderd", "", "host=/run dbname=x",
        "dbname=x password=hun@ter2", "postgresql://[::1]:5432/x", "postgresql://h/x?options=-c%20a%3Db",
        "postgresql://orderd:hun?ter2@db/orderd"}) {
    INFO(good);
    CHECK(postgres_url_problem(good).empty());
  }
}
