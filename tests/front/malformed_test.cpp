#include <catch2/catch.hpp>

#include "front/raw_client.h"
#include "front/test_server.h"
#include "unit/http_front/malformed_bodies.h"

using namespace orderd::http::front;
using namespace orderd::http::front::test;

namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("Each malformed request gets one refusal and a closed connection, and reaches no handler",
          "[malformed]") {
  constexpr std::size_t bytewise_bytes_max = 400;
  TestServer server;
  const auto all = all_malformed();
  REQUIRE(all.size() >= 60);
  for (const auto& one : all) {
    INFO(one.what);
    for (const bool bytewise : {false, true}) {
      RawClient client(server.port());
      const std::string_view bytes(one.bytes);
      if (bytewise) client.send_bytewise(bytes.substr(0, bytewise_bytes_max));
      client.send(bytewise ? bytes.substr(std::min(bytes.size(), bytewise_bytes_max)) : bytes);
      // A request that hides behind it must not be read either.
      client.send(get_hello);
      const std::string answer = client.rest();
      CHECK(answer.substr(0, 13) == "HTTP/1.1 " + std::to_string(one.status) + " ");
      CHECK(count(answer, "\r\n\r\n") == 1);
      CHECK(count(answer, "\r\nConnection: close\r\n") == 1);
      CHECK(count(answer, "\r\nContent-Type: application/problem+json\r\n") == 1);
      CHECK(count(answer, "\r\nDate: ") == 1);
      CHECK(count(answer, "\r\nX-Request-Id: ") == 1);
    }
  }
  CHECK(server.handled == 0);
  CHECK(server.metric("refused_total") == static_cast<std::int64_t>(2 * all.size()));
  CHECK(server.metric("requests_total") == 0);
}

TEST_CASE("A malformed request after good ones is refused after their answers", "[malformed]") {
  TestServer server;
  RawClient client(server.port());
  client.send(get_hello + get_hello + "GET /hello HTTP/1.1\r\n\r\n" + get_hello);
  CHECK(client.answer().status == 200);
  CHECK(client.answer().status == 200);
  CHECK(client.answer().status == 400);
  CHECK(client.closed_by_server());
  CHECK(server.handled == 2);
}

TEST_CASE("A request that is cut short reaches no handler", "[malformed]") {
  TestServer server;
  for (const std::string& raw : {post_start + "Content-Length: 10\r\n\r\nhell",
                                 post_start + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
                                 post_start + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
                                 std::string("GET /hello HTTP/1.1\r\nHost: x\r\n"), std::string("G")}) {
    RawClient client(server.port());
    client.send(raw);
    client.shutdown_send();
    CHECK(client.rest().empty());
  }
  CHECK(server.handled == 0);
}

TEST_CASE("A refusal is a problem document that repeats its request id", "[malformed]") {
  TestServer server;
  RawClient client(server.port());
  const Answer answer = client.ask("GET /hello HTTP/1.1\r\n\r\n");
  CHECK(answer.status == 400);
  CHECK(answer.field("content-type") == "application/problem+json");
  const std::string id = answer.field("x-request-id");
  CHECK(id.size() == 36);
  CHECK(answer.body.find("\"requestId\":\"" + id + "\"") != std::string::npos);
  CHECK(answer.body.find("\"code\":\"MALFORMED_REQUEST\"") != std::string::npos);
  CHECK(answer.body.find("\"status\":400") != std::string::npos);
  CHECK(answer.body.find("\"detail\":\"Host is missing.\"") != std::string::npos);
}

TEST_CASE("A refusal looks as the given renderer makes it, and as the default if that fails", "[malformed]") {
  std::atomic<bool> fails{false};
  TestServer server(TestServer::quick_options(), {}, [&](const Refusal& refusal) -> Rendered {
    if (fails) throw std::runtime_error("no");
    return {.body = "mine " + std::to_string(refusal.status), .fields = {{"Content-Type", "text/plain"}}};
  });
  CHECK(RawClient(server.port()).ask("BREW / HTTP/1.1\r\nHost: x\r\n\r\n").body == "mine 501");
  fails = true;
  const Answer answer = RawClient(server.port()).ask("BREW / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(answer.status == 501);
  CHECK(answer.field("content-type") == "application/problem+json");
}
