#include <catch2/catch.hpp>
#include <future>

#include "front/raw_client.h"
#include "front/test_server.h"

using namespace orderd::http::front;
using namespace orderd::http::front::test;

namespace {

Options one_worker() {
  Options options = TestServer::quick_options();
  options.workers = options.workers_apart = 1;
  options.lane_of = [](std::string_view, std::string_view path) {
    return path == "/hello" ? Lane::immediate : path == "/echo" ? Lane::ordinary : Lane::apart;
  };
  return options;
}

}  // namespace

TEST_CASE("A handler that hangs keeps its worker, and its client no longer than the limit", "[handlers]") {
  Options options = TestServer::quick_options();
  options.workers = 1;
  options.handler_timeout_ms = 300;
  TestServer server(options);
  RawClient hung(server.port()), behind(server.port());
  hung.send("GET /gate HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\n\r\n");
  REQUIRE(eventually([&] { return server.gate.waiting() == 1; }));
  behind.send(get_hello);
  for (RawClient* client : {&hung, &behind}) {
    const Answer answer = client->answer();
    CHECK(answer.status == 503);
    CHECK(answer.body.find("ANSWER_TIMEOUT") != answer.body.npos);
    CHECK(answer.field("x-request-id") == (client == &hung ? "mine" : answer.field("x-request-id")));
    CHECK(client->closed_by_server());
  }
  CHECK(server.metric("timed_out_total") == 2);
  server.gate.open();
  CHECK(RawClient(server.port()).ask(get_hello).body == hello);
  CHECK(server.handled == 2);  // what waited too long is not run afterwards
}

TEST_CASE("What never waits is answered while all workers are held", "[handlers]") {
  TestServer server(one_worker());
  RawClient held(server.port()), monitor(server.port());
  held.send(get("/gate"));
  REQUIRE(eventually([&] { return server.gate.waiting() == 1; }));
  for (int i = 0; i < 3; ++i) CHECK(monitor.ask(get("/hello?full=1")).body == hello);
  CHECK(monitor.ask("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n").status ==
        200);
  server.gate.open();
  CHECK(held.answer().body == hello);
}

TEST_CASE("What may take long holds no worker that others need", "[handlers]") {
  TestServer server(one_worker());
  RawClient held(server.port()), queued(server.port());
  held.send(get("/gate"));
  REQUIRE(eventually([&] { return server.gate.waiting() == 1; }));
  queued.send(get("/gate"));
  CHECK(RawClient(server.port()).ask(get("/echo")).body == "GET 0 ");
  server.gate.open();
  CHECK(held.answer().body == hello);
  CHECK(queued.answer().body == hello);
}

TEST_CASE("Whoever has connected and asked when a drain begins is answered", "[handlers]") {
  for (int round = 0; round < 30; ++round) {
    TestServer server;
    std::vector<RawClient> clients;
    for (int i = 0; i < 16; ++i) clients.emplace_back(server.port());
    for (RawClient& client : clients) client.send(get_hello);
    auto drained =
        std::async(std::launch::async, [&] { return server.front->drain(std::chrono::seconds(60)); });
    for (RawClient& client : clients) REQUIRE(client.answer().body == hello);
    CHECK(drained.get());
  }
}

TEST_CASE("What comes in the moment of a drain is answered, or its connection never carried a byte",
          "[handlers]") {
  for (int round = 0; round < 30; ++round) {
    TestServer server;
    std::vector<RawClient> clients;
    for (int i = 0; i < 16; ++i) clients.emplace_back(server.port());
    auto drained =
        std::async(std::launch::async, [&] { return server.front->drain(std::chrono::seconds(60)); });
    for (RawClient& client : clients) client.send(get_hello);
    for (RawClient& client : clients) REQUIRE(client.answer().body == hello);
    CHECK(drained.get());
  }
}

TEST_CASE("Clients that do not read their answers cannot fill the memory", "[handlers]") {
  Options options = TestServer::quick_options();
  options.unsent_bytes_max = 40 << 20;
  const std::string large(16 << 20, 'x');
  const auto send_large = [&](Request&, Poco::Net::HTTPServerResponse& response) {
    response.sendBuffer(large.data(), large.size());
  };
  TestServer server(options, {{"/large", send_large}});
  std::vector<RawClient> slow;
  for (int i = 0; i < 2; ++i) {
    slow.emplace_back(RawClient::To{.port = server.port(), .receive_buffer_bytes = 4096});
    slow.back().send(get("/large"));
    REQUIRE(slow.back().some(30'000));
  }
  RawClient third(server.port());
  const Answer refused = third.ask(get("/large"));
  CHECK(refused.status == 503);
  CHECK(refused.body.find("ANSWERS_UNREAD") != refused.body.npos);
  CHECK(third.closed_by_server());
  CHECK(RawClient(server.port()).ask(get_hello).body == hello);  // what is small is answered
  slow.pop_back();
  REQUIRE(eventually([&] { return server.metric("connections") <= 2; }));
  CHECK(RawClient(server.port()).ask(get("/large")).body.size() == large.size());
}

TEST_CASE("One address has its share of unread answers, whatever is left for others", "[handlers]") {
  Options options = TestServer::quick_options();
  options.count_loopback = true;
  options.unsent_bytes_per_address_max = 20 << 20;
  const std::string large(16 << 20, 'x');
  const auto send_large = [&](Request&, Poco::Net::HTTPServerResponse& response) {
    response.sendBuffer(large.data(), large.size());
  };
  TestServer server(options, {{"/large", send_large}});
  RawClient slow(RawClient::To{.port = server.port(), .receive_buffer_bytes = 4096});
  slow.send(get("/large"));
  REQUIRE(slow.some(30'000));
  CHECK(RawClient(server.port()).ask(get("/large")).status == 503);
}
