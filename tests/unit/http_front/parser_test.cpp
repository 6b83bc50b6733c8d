#include "http/front/parser.h"

#include <catch2/catch.hpp>
#include <memory>

#include "unit/http_front/malformed_bodies.h"

using namespace orderd::http::front;
using Result = Parser::Result;

namespace {

/// A parser that was fed `bytes` in pieces of `piece` bytes, until it came to an end.
struct Fed {
  explicit Fed(const std::string& bytes, std::size_t piece = std::string::npos) {
    while (result == Result::more && taken < bytes.size()) {
      std::size_t used = 0;
      const std::string_view next = std::string_view(bytes).substr(taken, piece);
      result = parser.feed(next, used);
      REQUIRE(used <= next.size());
      REQUIRE((result != Result::more || used == next.size()));
      taken += used;
    }
  }
  Parser parser{MessageLimits{}};
  Result result = Result::more;
  std::size_t taken = 0;
};

std::string field(const Parser& parser, std::string_view name) {
  for (const auto& [n, value] : parser.fields())
    if (n == name) return std::string(value);
  return "(none)";
}

}  // namespace

TEST_CASE("Every malformed request is refused with its status, whole and byte by byte", "[parser]") {
  for (const auto& one : test::all_malformed()) {
    INFO(one.what);
    for (const std::size_t piece : {std::string::npos, std::size_t{1}, std::size_t{7}}) {
      const Fed fed(one.bytes, piece);
      CHECK(fed.result == Result::bad);
      CHECK(fed.parser.refused().status == one.status);
      CHECK(fed.parser.refused().code == code_of(one.status));
      CHECK_FALSE(fed.parser.refused().why.empty());
    }
  }
}

TEST_CASE("A refused parser stays refused", "[parser]") {
  Fed fed("GET  /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  std::size_t used = 9;
  CHECK(fed.parser.feed(test::get_start + "\r\n", used) == Result::bad);
  CHECK(used == 0);
}

TEST_CASE("A request's parts come out as they were sent, values trimmed", "[parser]") {
  const std::string raw =
      "POST /a/b?c=%41&d HTTP/1.1\r\nHost: shop.example:3000\r\nX-One: \t a  b \t\r\nX-Two:\r\n"
      "Content-Length: 5\r\n\r\nhello";
  for (const std::size_t piece : {std::string::npos, std::size_t{1}}) {
    const Fed fed(raw, piece);
    REQUIRE(fed.result == Result::complete);
    CHECK(fed.taken == raw.size());
    CHECK(fed.parser.method() == "POST");
    CHECK(fed.parser.target() == "/a/b?c=%41&d");
    CHECK(fed.parser.minor_version() == 1);
    CHECK(fed.parser.keep_alive());
    CHECK(fed.parser.has_body());
    CHECK(fed.parser.body() == "hello");
    CHECK(fed.parser.fields().size() == 3);
    CHECK(field(fed.parser, "X-One") == "a  b");
    CHECK(field(fed.parser, "X-Two") == "");
  }
}

TEST_CASE("What follows a complete request is left for the next one", "[parser]") {
  const std::string one = test::post_start + "Content-Length: 2\r\n\r\nab", two = test::get_start + "\r\n";
  const std::string chunked = test::post_start + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n";
  CHECK(Fed(one + two).taken == one.size());
  CHECK(Fed(two + one).taken == two.size());
  CHECK(Fed(chunked + two).taken == chunked.size());
  CHECK(Fed(chunked + "\r\n").taken == chunked.size());
}

TEST_CASE("One empty line before a request is forgiven", "[parser]") {
  const Fed fed("\r\n" + test::get_start + "\r\n", 1);
  CHECK(fed.result == Result::complete);
  CHECK(fed.parser.target() == "/hello");
  CHECK_FALSE(Fed("\r\n").parser.begun());
}

TEST_CASE("A chunked body is put together, its extensions and trailers checked and dropped", "[parser]") {
  const std::string raw =
      test::post_start +
      "Transfer-Encoding: Chunked\r\n\r\n3;x=\"y\"\r\nabc\r\n02\r\nde\r\n000\r\nX-T: 1\r\nX-U: 2\r\n\r\n";
  for (const std::size_t piece : {std::string::npos, std::size_t{1}, std::size_t{3}}) {
    const Fed fed(raw, piece);
    REQUIRE(fed.result == Result::complete);
    CHECK(fed.parser.body() == "abcde");
    CHECK(field(fed.parser, "X-T") == "(none)");
    CHECK(field(fed.parser, "Transfer-Encoding") == "(none)");
  }
}

TEST_CASE("A body of exactly the limit is taken", "[parser]") {
  const std::string body(256 * 1024, 'z');
  CHECK(Fed(test::post_start + "Content-Length: 262144\r\n\r\n" + body, 65536).parser.body() == body);
  CHECK(Fed(test::post_start + "Transfer-Encoding: chunked\r\n\r\n40000\r\n" + body + "\r\n0\r\n\r\n")
            .parser.body() == body);
}

TEST_CASE("A head of exactly the limits is taken", "[parser]") {
  const std::string line = "X: " + std::string(8000 - 5, 'a') + "\r\n";
  CHECK(Fed(test::get_start + line + "\r\n", 1).result == Result::complete);
  CHECK(Fed(test::get_start + test::numbered_fields(99, "a") + "\r\n").result == Result::complete);
  std::string full = test::get_start + line + line;
  full += "Y: " + std::string(16 * 1024 - full.size() - 7, 'b') + "\r\n\r\n";
  REQUIRE(full.size() == 16 * 1024);
  CHECK(Fed(full, 1).result == Result::complete);
}

TEST_CASE("An absolute target becomes its path, if its host is Host", "[parser]") {
  const auto target = [](const std::string& line) {
    const Fed fed(line + " HTTP/1.1\r\nHost: x:80\r\n\r\n");
    return fed.result == Result::complete ? std::string(fed.parser.target()) : "refused";
  };
  CHECK(target("GET http://x:80/hello?a=b") == "/hello?a=b");
  CHECK(target("GET HTTP://X:80/hello") == "/hello");
  CHECK(target("GET http://x:80") == "/");
  CHECK(target("GET http://x:80?a=/b") == "/?a=/b");
  CHECK(target("GET http://y/hello") == "refused");
  CHECK(target("OPTIONS *") == "*");
  CHECK(target("GET //x/hello") == "//x/hello");
}

TEST_CASE("Host may be a name or an address, with a port or without", "[parser]") {
  for (const std::string host :
       {"x", "shop_1.example", "127.0.0.1:3000", "[::1]", "[fe80::1.2.3.4]:80", "x:"}) {
    INFO(host);
    CHECK(Fed("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n").result == Result::complete);
  }
}

TEST_CASE("The connection is kept as version and Connection say", "[parser]") {
  const auto kept = [](const std::string& version, const std::string& fields) {
    const Fed fed("GET / " + version + "\r\nHost: x\r\n" + fields + "\r\n");
    REQUIRE(fed.result == Result::complete);
    return fed.parser.keep_alive();
  };
  CHECK(kept("HTTP/1.1", ""));
  CHECK_FALSE(kept("HTTP/1.1", "Connection: close\r\n"));
  CHECK_FALSE(kept("HTTP/1.1", "Connection: TE, Close\r\n"));
  CHECK_FALSE(kept("HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
  CHECK(kept("HTTP/1.1", "Connection: closed\r\n"));
  CHECK_FALSE(kept("HTTP/1.0", ""));
  CHECK(kept("HTTP/1.0", "Connection: Keep-Alive\r\n"));
  CHECK_FALSE(kept("HTTP/1.0", "Connection: keep-alive, close\r\n"));
}

TEST_CASE("A continuation is expected of HTTP/1.1 only, and before the body has begun", "[parser]") {
  const std::string fields = "Host: x\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n";
  const Fed waits("POST /echo HTTP/1.1\r\n" + fields);
  CHECK(waits.result == Result::more);
  CHECK(waits.parser.head_complete());
  CHECK(waits.parser.expects_continue());
  CHECK_FALSE(waits.parser.body_begun());
  CHECK(Fed("POST /echo HTTP/1.1\r\n" + fields + "h").parser.body_begun());
  CHECK_FALSE(Fed("POST /echo HTTP/1.0\r\n" + fields).parser.expects_continue());
}

TEST_CASE("HTTP/1.0 needs no Host", "[parser]") {
  CHECK(Fed("GET / HTTP/1.0\r\n\r\n").result == Result::complete);
}
