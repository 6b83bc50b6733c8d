#include "plugin_host/services/masks.h"

#include <catch2/catch.hpp>

namespace orderd::plugins {
namespace {

TEST_CASE("a secret is masked in what a plugin says, whole or in part") {
  const Masks masks({"postgres://shop:pa@ss/word17@db/shop", "1234", "abc"});
  CHECK(masks.masked("invalid port: \"word17@db\"") == "invalid port: \"***\"");
  CHECK(masks.masked("could not translate host name \"ss/word17@db\" to address") ==
        "could not translate host name \"***\" to address");
  CHECK(masks.masked("pin 1234, not 123") == "pin ***, not 123");
  CHECK(masks.masked("abc is too short to be told from words") == "abc is too short to be told from words");
}

TEST_CASE("a payment's token is masked, and forgotten in the end") {
  Masks masks({});
  masks.add_token(R"({"token":"tok_visa_4242","buyer":{"name":"Ada"}})");
  masks.add_token("no JSON");
  CHECK(masks.masked("authorizing tok_visa_4242 for Ada") == "authorizing *** for Ada");
  for (int i = 0; i < 1000; ++i) masks.add_token(R"({"token":"tok_other"})");
  CHECK(masks.masked("tok_visa_4242") == "tok_visa_4242");
}

}  // namespace
}  // namespace orderd::plugins
