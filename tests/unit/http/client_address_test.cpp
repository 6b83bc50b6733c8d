#include <catch2/catch.hpp>

#include "http/client_address.h"

using orderd::http::ClientAddresses;

namespace {

struct Row {
  const char *peer, *forwarded_for, *client;
  bool local;
};

}  // namespace

TEST_CASE("A client is who the last trusted hop says, and local only without any doubt") {
  const ClientAddresses nobody({}), proxies({"127.0.0.1", "10.0.0.0/8"});
  const auto judge = [](const ClientAddresses& addresses, const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      INFO(row.peer << " for " << row.forwarded_for);
      const ClientAddresses::Seen seen{*orderd::http::front::parse_ip(row.peer), row.forwarded_for, false};
      CHECK(addresses.client(seen).toString() == row.client);
      CHECK(addresses.is_local(seen) == row.local);
    }
  };
  judge(nobody, {{"127.0.0.1", "", "127.0.0.1", true},
                 {"127.8.9.1", "", "127.8.9.1", true},
                 {"::1", "", "::1", true},
                 {"203.0.113.1", "", "203.0.113.1", false},
                 {"203.0.113.1", "127.0.0.1", "203.0.113.1", false},
                 {"127.0.0.1", "127.0.0.1", "127.0.0.1", false},
                 {"127.0.0.1", "203.0.113.1", "127.0.0.1", false}});
  judge(proxies, {{"127.0.0.1", "", "127.0.0.1", true},
                  {"127.0.0.1", "203.0.113.1", "203.0.113.1", false},
                  {"127.0.0.1", "127.0.0.1", "127.0.0.1", true},
                  {"127.0.0.1", "127.0.0.1, 203.0.113.1", "203.0.113.1", false},
                  {"127.0.0.1", "203.0.113.1, 127.0.0.1", "203.0.113.1", false},
                  {"127.0.0.1", "203.0.113.1, 10.0.0.9", "203.0.113.1", false},
                  {"127.0.0.1", "1.2.3.4, 203.0.113.1, 10.0.0.9", "203.0.113.1", false},
                  {"10.0.0.9", "127.0.0.1", "127.0.0.1", false},
                  {"203.0.113.1", "198.51.100.1", "203.0.113.1", false},
                  {"127.0.0.1", "unknown", "127.0.0.1", false},
                  {"127.0.0.1", "198.51.100.1, unknown", "127.0.0.1", false},
                  {"127.0.0.1", "2001:db8::1", "2001:db8::1", false}});
  CHECK_FALSE(nobody.is_local({Poco::Net::IPAddress("127.0.0.1"), "", true}));
}

TEST_CASE("An IPv6 client counts as its network of 64 bits") {
  const auto name = [](const char* text) {
    return orderd::http::client_name(*orderd::http::front::parse_ip(text));
  };
  CHECK(name("2001:db8::1") == name("2001:db8::ffff:1"));
  CHECK(name("2001:db8::1") != name("2001:db8:0:1::1"));
  CHECK(name("203.0.113.1") != name("203.0.113.2"));
}
