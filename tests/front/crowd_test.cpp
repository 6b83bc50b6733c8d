#include <sys/resource.h>

#include <catch2/catch.hpp>

#include "front/raw_client.h"
#include "front/test_server.h"

using namespace orderd::http::front;
using namespace orderd::http::front::test;

TEST_CASE("A crowd of idle and trickling connections keeps no healthy request from its answer", "[crowd]") {
  constexpr std::size_t idle_count = 1200, trickling_count = 400, healthy_count = 300;
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  REQUIRE(limit.rlim_cur > 2 * (idle_count + trickling_count) + 100);

  TestServer server;
  std::vector<RawClient> idle, trickling;
  for (std::size_t i = 0; i < idle_count; ++i) {
    idle.emplace_back(server.port());
    if (i % 2) idle.back().send(get_hello);
  }
  for (std::size_t i = 0; i < trickling_count; ++i) {
    trickling.emplace_back(server.port());
    trickling.back().send(i % 2 ? "GET /hello HTTP/1.1\r\nHost: x\r\nX: "
                                : "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4096\r\n\r\n");
  }
  for (std::size_t i = 1; i < idle_count; i += 2) REQUIRE(idle[i].answer().body == hello);

  RawClient kept(server.port());
  for (std::size_t i = 0; i < healthy_count; ++i) {
    trickling[i % trickling_count].send("a");
    REQUIRE(kept.ask(get_hello).body == hello);
    REQUIRE(RawClient(server.port()).ask(get_hello).body == hello);
  }
  CHECK(server.handled == static_cast<int>(idle_count / 2 + 2 * healthy_count));
}
