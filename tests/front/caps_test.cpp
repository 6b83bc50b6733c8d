#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "front/raw_client.h"
#include "front/test_server.h"
#include "http/front/connection_limits.h"

using namespace orderd::http::front;
using namespace orderd::http::front::test;

namespace {

/// Leaves the process without a free descriptor as long as it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit lower = before_;
    lower.rlim_cur = 256;
    ::setrlimit(RLIMIT_NOFILE, &lower);
    for (int fd; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) taken_.push_back(fd);
  }
  ~NoDescriptors() {
    for (const int fd : taken_) ::close(fd);
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }
  void free_one() {
    ::close(taken_.back());
    taken_.pop_back();
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

ConnectionLimits::Key key(const std::string& address) { return ConnectionLimits::key_of(*parse_ip(address)); }

}  // namespace

TEST_CASE("One address gets its share of connections and no more, until it closes one", "[caps]") {
  Options options = TestServer::quick_options();
  options.count_loopback = true;
  options.connections_per_address_max = 3;
  TestServer server(options);
  std::vector<RawClient> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back(server.port());
    CHECK(clients.back().ask(get_hello).body == hello);
  }
  RawClient fourth(server.port());
  CHECK(fourth.answer().status == 503);
  CHECK(fourth.closed_by_server());
  CHECK(server.metric("shed_total") == 1);
  clients.pop_back();
  REQUIRE(eventually([&] { return server.metric("connections") == 2; }));
  CHECK(RawClient(server.port()).ask(get_hello).body == hello);
}

TEST_CASE("Loopback has no cap per address", "[caps]") {
  Options options = TestServer::quick_options();
  options.connections_per_address_max = 1;
  TestServer server(options);
  RawClient one(server.port()), two(server.port());
  CHECK(one.ask(get_hello).body == hello);
  CHECK(two.ask(get_hello).body == hello);
}

TEST_CASE("Addresses are counted one by one, IPv6 by its /64, trusted proxies not at all", "[caps]") {
  ConnectionLimits caps({.connections_per_address_max = 2,
                         .count_loopback = false,
                         .trusted = {"10.1.2.3", "10.32.0.0/11", "fd00::/8", "2001:db8::7"}});
  const auto counts = [&](const std::string& address) { return caps.counts(*parse_ip(address)); };
  CHECK(counts("10.1.2.4"));
  CHECK_FALSE(counts("10.1.2.3"));
  CHECK_FALSE(counts("10.63.255.255"));
  CHECK(counts("10.64.0.0"));
  CHECK_FALSE(counts("fdff::1"));
  CHECK(counts("fe00::1"));
  CHECK_FALSE(counts("2001:db8::7"));
  CHECK(counts("2001:db8::8"));
  CHECK_FALSE(counts("127.0.0.9"));
  CHECK_FALSE(counts("::1"));
  CHECK(caps.add(key("192.0.2.1")));
  CHECK(caps.add(key("192.0.2.1")));
  CHECK_FALSE(caps.add(key("192.0.2.1")));
  CHECK(caps.add(key("192.0.2.2")));
  caps.remove(key("192.0.2.1"));
  CHECK(caps.add(key("192.0.2.1")));
  CHECK(key("2001:db8::1") == key("2001:db8::ffff:1:2:3"));
  CHECK(key("2001:db8::1") != key("2001:db8:0:1::1"));
}

TEST_CASE("The cap on all connections holds on loopback, too", "[caps]") {
  Options options = TestServer::quick_options();
  options.connections_max = 2;
  TestServer server(options);
  RawClient one(server.port()), two(server.port());
  CHECK(one.ask(get_hello).body == hello);
  CHECK(two.ask(get_hello).body == hello);
  const Answer answer = RawClient(server.port()).answer();
  CHECK(answer.status == 503);
  CHECK(answer.field("retry-after") == "1");
  CHECK(answer.body.find("OVERLOADED") != std::string::npos);
  CHECK(one.ask(get_hello).body == hello);
}

TEST_CASE("A request for which there is no room in the queue is answered 503, the others are served",
          "[caps]") {
  Options options = TestServer::quick_options();
  options.workers = 1;
  options.queue_requests_max = 2;
  TestServer server(options);
  std::vector<RawClient> served;
  served.emplace_back(server.port());
  served.back().send(get("/gate"));
  REQUIRE(eventually([&] { return server.gate.waiting() == 1; }));
  for (int i = 0; i < 2; ++i) {
    served.emplace_back(server.port());
    served.back().send(get("/gate"));
    REQUIRE(eventually([&] { return server.metric("requests_total") == 2 + i; }));
  }
  RawClient surplus(server.port());
  const Answer answer = surplus.ask(get_hello);
  CHECK(answer.status == 503);
  CHECK(answer.field("retry-after") == "1");
  CHECK(surplus.closed_by_server());
  CHECK(server.metric("shed_total") == 1);
  server.gate.open();
  for (RawClient& client : served) CHECK(client.answer().body == hello);
  CHECK(server.handled == 3);
}

TEST_CASE("Without a free descriptor a client is told so, and later ones are served", "[caps]") {
  TestServer server;
  RawClient known(server.port());
  CHECK(known.ask(get_hello).body == hello);
  {
    NoDescriptors none;
    none.free_one();  // for the client itself
    for (int i = 0; i < 3; ++i) {
      RawClient client(server.port());
      CHECK(client.answer().status == 503);
      CHECK(client.closed_by_server());
      CHECK(known.ask(get_hello).body == hello);
    }
  }
  CHECK(RawClient(server.port()).ask(get_hello).body == hello);
}
