#include <catch2/catch.hpp>

#include "auth/key.h"
#include "base/sha256.h"

using namespace orderd;
using namespace orderd::auth;

TEST_CASE("A new key names its id, fits its hash, and is never the same twice") {
  const NewKey key = make_key(), other = make_key();
  CHECK(key.text.rfind("ok_" + key.id + "_", 0) == 0);
  CHECK(key.text.size() == 3 + 16 + 1 + 64);
  CHECK(id_in(key.text) == key.id);
  CHECK(key.id != other.id);
  CHECK(fits(key.text, sha256_hex(key.text)));
  CHECK_FALSE(fits(other.text, sha256_hex(key.text)));
  CHECK_FALSE(fits(key.text, ""));
}

TEST_CASE("What does not have a key's shape is none") {
  const std::string key = make_key().text;
  for (const std::string& text :
       {std::string(), std::string("ok_"), key.substr(1), key + "0", key.substr(0, key.size() - 1) + "G",
        "OK" + key.substr(2), key.substr(0, 19) + "-" + key.substr(20), std::string(84, '_')}) {
    INFO(text);
    CHECK_FALSE(id_in(text));
  }
}

TEST_CASE("Scopes are read by name, and one that does not exist spoils the list") {
  CHECK(parse_scopes("orders:write,orders:read")->to_string() == "orders:read orders:write");
  CHECK(parse_scopes("ops:read ops:act ops:money")->to_string() == "ops:read ops:act ops:money");
  for (const char* bad : {"", "orders", "orders:read,,ops:act", "ORDERS:READ", "orders:*"}) {
    INFO(bad);
    CHECK_FALSE(parse_scopes(bad));
  }
}

TEST_CASE("A caller's name can be told from what the host calls people without a key") {
  for (const char* good : {"shop", "a", "erp-2", "shop.example", "0_1"}) CHECK(is_caller_name(good));
  for (const char* bad : {"", "anonymous", "tracking-token", "Shop", "a b", "-a", "orderctl:root", "é"}) {
    INFO(bad);
    CHECK_FALSE(is_caller_name(bad));
  }
  CHECK(is_caller_name(std::string(64, 'a')));
  CHECK_FALSE(is_caller_name(std::string(65, 'a')));
}
