#include <Poco/Net/HTTPResponse.h>

#include <catch2/catch.hpp>

#include "front/raw_client.h"
#include "front/test_server.h"

using namespace orderd::http::front;
using namespace orderd::http::front::test;
using Poco::Net::HTTPResponse;
using Poco::Net::HTTPServerResponse;

namespace {

const std::string post = "POST /echo HTTP/1.1\r\nHost: x\r\n";

std::map<std::string, TestServer::Handle> odd_handlers() {
  return {
      {"/empty",
       [](Request&, HTTPServerResponse& response) {
         response.setStatusAndReason(HTTPResponse::HTTP_NO_CONTENT);
         response.send();
       }},
      {"/unchanged",
       [](Request&, HTTPServerResponse& response) {
         response.setStatusAndReason(HTTPResponse::HTTP_NOT_MODIFIED);
         response.set("ETag", "\"3\"");
         response.send();
       }},
      {"/stream",
       [](Request&, HTTPServerResponse& response) {
         response.setChunkedTransferEncoding(true);
         response.send() << "one " << 2;
       }},
      {"/close",
       [](Request&, HTTPServerResponse& response) {
         response.setKeepAlive(false);
         response.send() << "bye";
       }},
      {"/throw", [](Request&, HTTPServerResponse&) { throw std::runtime_error("boom: a secret"); }},
      {"/throw-late",
       [](Request&, HTTPServerResponse& response) {
         response.send() << "half an ans";
         throw std::runtime_error("boom");
       }},
      {"/silent", [](Request&, HTTPServerResponse&) {}},
      {"/split",
       [](Request&, HTTPServerResponse& response) {
         response.set("X-Evil", "a\r\nSet-Cookie: b");
         response.send() << "x";
       }},
      {"/split-name",
       [](Request&, HTTPServerResponse& response) {
         response.set("X-Evil: a\r\nSet-Cookie", "b");
         response.send() << "x";
       }},
      {"/interim",
       [](Request&, HTTPServerResponse& response) {
         response.setStatusAndReason(HTTPResponse::HTTP_CONTINUE);
         response.send();
       }},
      {"/lies",
       [](Request&, HTTPServerResponse& response) {
         response.setContentLength(999);
         response.send() << "true";
       }},
      {"/field", [](Request& request,
                    HTTPServerResponse& response) { response.send() << request.get("X-Test", "(none)"); }},
      {"/where",
       [](Request& request, HTTPServerResponse& response) {
         response.send() << request.path() << " " << request.query() << " "
                         << request.clientAddress().host().toString();
       }},
      {"*", [](Request&, HTTPServerResponse& response) { response.send() << "star"; }},
  };
}

}  // namespace

TEST_CASE("Pipelined requests are answered in their order", "[requests]") {
  TestServer server(TestServer::quick_options(), odd_handlers());
  RawClient client(server.port());
  client.send(get_hello + post + "Content-Length: 5\r\n\r\nhello" + post +
              "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n02\r\nde\r\n0\r\nTr: x\r\n\r\n" +
              "HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n" + get("/empty") +
              "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" + get_hello);
  CHECK(client.answer().body == hello);
  CHECK(client.answer().body == "POST 5 hello");
  CHECK(client.answer().body == "POST 5 abcde");
  const Answer head = client.answer(true);
  CHECK(head.field("content-length") == std::to_string(hello.size()));
  CHECK(client.answer().status == 204);
  const Answer last = client.answer();
  CHECK(last.body == hello);
  CHECK(last.field("connection") == "close");
  CHECK(client.closed_by_server());
  CHECK(server.handled == 6);
}

TEST_CASE("A thousand pipelined requests get a thousand answers", "[requests]") {
  TestServer server;
  RawClient client(server.port());
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += get_hello;
  client.send(requests);
  for (int i = 0; i < 1000; ++i) REQUIRE(client.answer().body == hello);
}

TEST_CASE("A body that no handler reads is never the next request", "[requests]") {
  TestServer server;
  RawClient client(server.port());
  const std::string smuggled = get("/echo");
  client.send("POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(smuggled.size()) +
              "\r\n\r\n" + smuggled + get_hello);
  CHECK(client.answer().body == hello);
  CHECK(client.answer().body == hello);
  CHECK(server.handled == 2);
}

TEST_CASE("Requests arrive whole however they are cut", "[requests]") {
  TestServer server;
  RawClient client(server.port());
  client.send_bytewise(post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  CHECK(client.answer().body == "POST 5 abcde");
  const std::string body(256 * 1024, 'z');
  client.send(post + "Content-Length: 262144\r\n\r\n" + body);
  CHECK(client.answer().body == "POST 262144 " + body.substr(0, 64));
  std::string chunks;
  for (std::size_t i = 0; i < body.size(); i += 1024) chunks += "400\r\n" + body.substr(i, 1024) + "\r\n";
  client.send(post + "Transfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n");
  CHECK(client.answer().body == "POST 262144 " + body.substr(0, 64));
}

TEST_CASE("100 Continue comes when the body waits for it, and only then", "[requests]") {
  TestServer server;
  const std::string expecting = post + "Expect: 100-continue\r\n";
  RawClient client(server.port());
  client.send(expecting + "Content-Length: 5\r\n\r\n");
  CHECK(client.answer().status == 100);
  client.send("hello");
  CHECK(client.answer().body == "POST 5 hello");
  CHECK(client.ask(expecting + "Content-Length: 5\r\n\r\nhello").status == 200);
  CHECK(client.ask(expecting + "Content-Length: 0\r\n\r\n").status == 200);
  CHECK(client.ask(expecting + "Content-Length: 300000\r\n\r\n").status == 413);
  CHECK(client.closed_by_server());
}

TEST_CASE("HEAD, 204 and 304 have no body, and leave the connection in step", "[requests]") {
  TestServer server(TestServer::quick_options(), odd_handlers());
  RawClient client(server.port());
  client.send("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(client.answer(true).field("content-length") == "5");
  const Answer empty = client.ask(get("/empty"));
  CHECK(empty.status == 204);
  CHECK(empty.fields.count("content-length") == 0);
  const Answer unchanged = client.ask(get("/unchanged"));
  CHECK(unchanged.status == 304);
  CHECK(unchanged.field("etag") == "\"3\"");
  CHECK(client.ask(get_hello).body == hello);
}

TEST_CASE("An answer's framing is the front's own, whatever the handler set", "[requests]") {
  TestServer server(TestServer::quick_options(), odd_handlers());
  RawClient client(server.port());
  const Answer stream = client.ask(get("/stream"));
  CHECK(stream.body == "one 2");
  CHECK(stream.fields.count("transfer-encoding") == 0);
  CHECK(stream.fields.count("connection") == 0);
  CHECK(stream.field("date").size() == 29);
  CHECK(client.ask(get("/lies")).body == "true");
}

TEST_CASE("The connection is closed when either side wants it", "[requests]") {
  TestServer server(TestServer::quick_options(), odd_handlers());
  const std::vector<std::string> closing{get("/close"),
                                         "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close, TE\r\n\r\n",
                                         "GET /hello HTTP/1.0\r\n\r\n"};
  for (const std::string& request : closing) {
    RawClient client(server.port());
    const Answer answer = client.ask(request);
    CHECK(answer.status == 200);
    CHECK(answer.field("connection") == "close");
    CHECK(client.closed_by_server());
  }
  RawClient old(server.port());
  CHECK(old.ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").field("connection") == "keep-alive");
  CHECK(old.ask("GET /hello HTTP/1.0\r\n\r\n").status == 200);
}

TEST_CASE("A client that has closed its sending half gets its answer", "[requests]") {
  TestServer server;
  RawClient client(server.port());
  client.send(get_hello + get_hello);
  client.shutdown_send();
  CHECK(client.answer().body == hello);
  CHECK(client.answer().body == hello);
  CHECK(client.closed_by_server());
}

TEST_CASE("A handler that fails is answered 500 without its reason, and the connection closed",
          "[requests]") {
  TestServer server(TestServer::quick_options(), odd_handlers());
  for (const std::string path :
       {"/throw", "/throw-late", "/silent", "/split", "/split-name", "/interim", "/nowhere"}) {
    INFO(path);
    RawClient client(server.port());
    const Answer answer = client.ask(get(path));
    CHECK(answer.status == 500);
    CHECK(answer.field("content-type") == "application/problem+json");
    CHECK(answer.head.find("Set-Cookie") == std::string::npos);
    CHECK(answer.body.find("secret") == std::string::npos);
    CHECK(client.closed_by_server());
  }
}

TEST_CASE("An encoded word in a field is not decoded", "[requests]") {
  TestServer server(TestServer::quick_options(), odd_handlers());
  RawClient client(server.port());
  client.send("GET /field HTTP/1.1\r\nHost: x\r\nX-Test: =?utf-8?q?a=0D=0AEvil:_1?=\r\n\r\n");
  CHECK(client.answer().body == "=?utf-8?q?a=0D=0AEvil:_1?=");
}

TEST_CASE("A handler sees path, query and client address", "[requests]") {
  TestServer server(TestServer::quick_options(), odd_handlers());
  RawClient client(server.port());
  CHECK(client.ask(get("/where?a=%20b?c")).body == "/where a=%20b?c 127.0.0.1");
  CHECK(client.ask("GET http://x/where HTTP/1.1\r\nHost: x\r\n\r\n").body == "/where  127.0.0.1");
  CHECK(client.ask("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").body == "star");
}

TEST_CASE("IPv6 is spoken, and an IPv4 client of a socket for both is an IPv4 address", "[requests]") {
  Options options = TestServer::quick_options();
  options.address = "::";
  TestServer server(options, odd_handlers());
  CHECK(RawClient({.port = server.port(), .address = "::1"}).ask(get("/where")).body == "/where  ::1");
  CHECK(RawClient(server.port()).ask(get("/where")).body == "/where  127.0.0.1");
}

TEST_CASE("A port in use and a wrong address are refused with what to do", "[requests]") {
  TestServer server;
  Options options = TestServer::quick_options();
  options.port = server.port();
  CHECK_THROWS_WITH(TestServer(options),
                    Catch::Contains("port " + std::to_string(server.port()) + " is in use") &&
                        Catch::Contains("choose another port"));
  options.address = "localhost";
  CHECK_THROWS_WITH(TestServer(options), Catch::Contains("\"localhost\" is no IP address"));
  options = TestServer::quick_options();
  options.address = "192.0.2.1";
  CHECK_THROWS_WITH(TestServer(options), Catch::Contains("none of this machine's"));
  options = TestServer::quick_options();
  options.trusted_proxies = {"10.0.0.0/33"};
  CHECK_THROWS_WITH(TestServer(options), Catch::Contains("10.0.0.0/33"));
  options = TestServer::quick_options();
  options.workers = 0;
  CHECK_THROWS_WITH(TestServer(options), Catch::Contains("workers is 0"));
}
