#include <catch2/catch.hpp>

#include "front/raw_client.h"
#include "front/test_server.h"

using namespace orderd::http::front;
using namespace orderd::http::front::test;
using Poco::Net::HTTPServerResponse;

namespace {

constexpr std::size_t big_bytes = 20 << 20;

std::map<std::string, TestServer::Handle> big_handler() {
  return {{"/big", [](Request&, HTTPServerResponse& response) {
             const std::string body(big_bytes, 'x');
             response.sendBuffer(body.data(), body.size());
           }}};
}

}  // namespace

TEST_CASE("20 MB reach a reader who begins late, and then the next answer", "[slow]") {
  TestServer server(TestServer::quick_options(), big_handler());
  RawClient client({.port = server.port(), .receive_buffer_bytes = 4096});
  client.send(get("/big") + get_hello);
  RawClient other(server.port());
  for (int i = 0; i < 50; ++i) REQUIRE(other.ask(get_hello).body == hello);
  const Answer answer = client.answer();
  CHECK(answer.body.size() == big_bytes);
  CHECK(answer.body.find_first_not_of('x') == std::string::npos);
  CHECK(client.answer().body == hello);
}

TEST_CASE("Readers who never read hold no worker", "[slow]") {
  TestServer server(TestServer::quick_options(), big_handler());
  std::vector<RawClient> stuck;
  for (int i = 0; i < 6; ++i) {
    stuck.emplace_back(RawClient::To{.port = server.port(), .receive_buffer_bytes = 4096});
    stuck.back().send(get("/big"));
  }
  REQUIRE(eventually([&] { return server.handled == 6; }));
  for (int i = 0; i < 20; ++i) REQUIRE(RawClient(server.port()).ask(get_hello).body == hello);
}

TEST_CASE("A client that takes nothing of its answer is cut off", "[slow]") {
  Options options = TestServer::quick_options();
  options.write_timeout_ms = 1;
  TestServer server(options, big_handler());
  RawClient client({.port = server.port(), .receive_buffer_bytes = 4096});
  client.send(get("/big"));
  CHECK(eventually([&] { return server.metric("timed_out_total") == 1; }));
  CHECK(client.rest().size() < big_bytes);
}

TEST_CASE("A head that trickles misses its deadline, however busily", "[slow]") {
  Options options = TestServer::quick_options();
  options.header_timeout_ms = 1;
  TestServer server(options);
  RawClient client(server.port());
  client.send("GET /hello HTTP/1.1\r\nHost: x\r\nX: ");
  CHECK(eventually([&] {
    client.send("a");
    return server.metric("timed_out_total") == 1;
  }));
  CHECK(client.answer().status == 408);
  CHECK(client.closed_by_server());
  CHECK(server.handled == 0);
}

TEST_CASE("A body that trickles misses its deadline, whole or chunked", "[slow]") {
  Options options = TestServer::quick_options();
  options.body_timeout_ms = 1;
  TestServer server(options);
  const std::string start = "POST /echo HTTP/1.1\r\nHost: x\r\n";
  for (const std::string& rest :
       {std::string("Content-Length: 5\r\n\r\nh"), std::string("Transfer-Encoding: chunked\r\n\r\n5\r\nh"),
        std::string("Transfer-Encoding: chunked\r\n\r\n0\r\n")}) {
    RawClient client(server.port());
    const Answer answer = client.ask(start + rest);
    CHECK(answer.status == 408);
    CHECK(answer.body.find("REQUEST_TIMEOUT") != std::string::npos);
    CHECK(client.closed_by_server());
  }
  CHECK(server.handled == 0);
  CHECK(server.metric("timed_out_total") == 3);
}

TEST_CASE("A connection that says nothing is closed without a word", "[slow]") {
  Options options = TestServer::quick_options();
  options.idle_timeout_ms = 1;
  options.header_timeout_ms = 1;
  TestServer server(options);
  CHECK(RawClient(server.port()).closed_by_server());
  RawClient empty_line(server.port());
  empty_line.send("\r\n");
  CHECK(empty_line.closed_by_server());
  RawClient kept(server.port());
  CHECK(kept.ask(get_hello).body == hello);
  CHECK(kept.closed_by_server());
  CHECK(server.metric("timed_out_total") == 0);
}

TEST_CASE("A body too large is refused so that its sender can read why", "[slow]") {
  TestServer server;
  RawClient client(server.port());
  client.send(
      "POST /echo?x=1 HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine-1\r\nContent-Length: 8388608\r\n\r\n" +
      std::string(8 << 20, 'z'));
  const auto answer = client.answer();
  CHECK(answer.status == 413);
  CHECK(answer.field("x-request-id") == "mine-1");
  CHECK(answer.field("x-content-type-options") == "nosniff");
}
