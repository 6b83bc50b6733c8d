#include <catch2/catch.hpp>
#include <future>

#include "front/raw_client.h"
#include "front/test_server.h"

using namespace orderd::http::front;
using namespace orderd::http::front::test;

namespace {

constexpr std::chrono::seconds long_enough{60};

}  // namespace

TEST_CASE("A drain closes the idle, answers the running and the deferred, and takes nobody new", "[drain]") {
  TestServer server;
  RawClient idle(server.port()), running(server.port()), deferred(server.port()), silent(server.port());
  CHECK(idle.ask(get_hello).body == hello);
  running.send(get("/gate") + get_hello);
  deferred.send(get("/defer"));
  auto answers = server.deferred.take(1);
  REQUIRE(eventually([&] { return server.gate.waiting() == 1; }));

  auto drained = std::async(std::launch::async, [&] { return server.front->drain(long_enough); });
  CHECK(idle.closed_by_server());
  CHECK(silent.closed_by_server());
  CHECK(server.front->draining());
  CHECK_THROWS(RawClient(server.port()));

  server.gate.open();
  const Answer last = running.answer();
  CHECK(last.body == hello);
  CHECK(last.field("connection") == "close");
  CHECK(running.closed_by_server());

  answers[0].finish(200, {}, "done");
  const Answer late = deferred.answer();
  CHECK(late.body == "done");
  CHECK(late.field("connection") == "close");
  CHECK(deferred.closed_by_server());
  CHECK(drained.get());
  CHECK(server.handled == 3);
}

TEST_CASE("A request that is arriving when the drain begins is still answered", "[drain]") {
  TestServer server;
  RawClient client(server.port()), idle(server.port());
  CHECK(client.ask(get_hello).body == hello);
  CHECK(idle.ask(get_hello).body == hello);
  client.send("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  CHECK(client.answer().status == 100);
  auto drained = std::async(std::launch::async, [&] { return server.front->drain(long_enough); });
  CHECK(idle.closed_by_server());
  client.send("hi");
  const Answer answer = client.answer();
  CHECK(answer.body == "POST 2 hi");
  CHECK(answer.field("connection") == "close");
  CHECK(client.closed_by_server());
  CHECK(drained.get());
}

TEST_CASE("A drain whose patience ends cuts off what is left and says so", "[drain]") {
  TestServer server;
  RawClient client(server.port());
  client.send(get("/defer"));
  auto answers = server.deferred.take(1);
  CHECK_FALSE(server.front->drain(std::chrono::milliseconds(1)));
  CHECK_FALSE(server.front->drain(long_enough));
  server.front.reset();
  CHECK(client.closed_by_server());
  CHECK_THROWS(RawClient(1));
}

TEST_CASE("Requests still waiting for a worker when the patience ends are not run", "[drain]") {
  Options options = TestServer::quick_options();
  options.workers = 1;
  TestServer server(options);
  RawClient running(server.port()), waiting(server.port());
  running.send(get("/gate"));
  REQUIRE(eventually([&] { return server.gate.waiting() == 1; }));
  waiting.send(get_hello);
  REQUIRE(eventually([&] { return server.metric("requests_total") == 2; }));
  auto drained =
      std::async(std::launch::async, [&] { return server.front->drain(std::chrono::milliseconds(1)); });
  REQUIRE(eventually([&] { return server.front->draining(); }));
  REQUIRE(eventually([&] {
    try {
      RawClient late(server.port());
      return false;
    } catch (const std::exception&) { return true; }
  }));
  server.gate.open();
  CHECK_FALSE(drained.get());
}
