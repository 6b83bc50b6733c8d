#include <catch2/catch.hpp>

#include <fstream>

#include "functional/support/api_host.h"

using namespace orderd;
using namespace orderd::test;

namespace {

/// A folder with a few pages, gone with the test.
class WebDir {
 public:
  WebDir() : path(std::filesystem::temp_directory_path() / ("orderd-web-" + Uuid::v7().to_string())) {
    std::filesystem::create_directories(path / "console");
    write("index.html", "<!doctype html><title>shop</title>");
    write("app.js", "export {};");
    write("console/index.html", "<!doctype html><title>console</title>");
  }
  ~WebDir() { std::filesystem::remove_all(path); }
  const std::filesystem::path path;

 private:
  void write(const std::string& name, const std::string& text) { std::ofstream(path / name) << text; }
};

}  // namespace

TEST_CASE("A path takes its own methods only, and says which") {
  ApiHost host;
  const Answer put = host.ask("PUT", "/api/orders", "{}");
  CHECK(put.status == 405);
  CHECK(code_of(put) == "METHOD_NOT_ALLOWED");
  CHECK(put.field("allow") == "POST, GET, HEAD");
  CHECK(host.ask("DELETE", "/api/orders/01920000-0000-7000-8000-000000000000").field("allow") == "GET, HEAD");
  CHECK(host.get("/api/orders/x/cancel").status == 405);
  const Answer options = host.ask("OPTIONS", "/api/orders");
  CHECK(options.status == 204);
  CHECK(options.field("allow") == "POST, GET, HEAD, OPTIONS");
}

TEST_CASE("What does not exist is 404 in the API's own shape") {
  ApiHost host;
  for (const char* path : {"/api", "/api/", "/api/order", "/api/orders/", "/nothing", "/api/orders/x/y/z"}) {
    const Answer answer = host.get(path);
    INFO(path << answer.body);
    CHECK(answer.status == 404);
    CHECK_FALSE(code_of(answer).empty());
  }
  for (const char* id :
       {"01920000-0000-7000-8000-000000000000", "x", "01920000-0000-7000-8000-00000000000G"}) {
    const Answer answer = host.get(std::string("/api/orders/") + id);
    CHECK(answer.status == 404);
    CHECK(code_of(answer) == "ORDER_NOT_FOUND");
  }
}

TEST_CASE("A body must be JSON and say so; an answer must be welcome") {
  ApiHost host;
  for (const char* type :
       {"text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", ""}) {
    const Answer answer = host.post("/api/orders", order_body(), {{"Content-Type", type}});
    CHECK(answer.status == 415);
    CHECK(code_of(answer) == "UNSUPPORTED_MEDIA_TYPE");
  }
  CHECK(host.post("/api/orders", order_body(), {{"Content-Encoding", "gzip"}}).status == 415);
  CHECK(host.post("/api/orders", order_body(), {{"Content-Type", "Application/JSON;charset=UTF-8"}}).status ==
        201);
  CHECK(host.post("/api/orders", order_body(), {{"Accept", "text/html"}}).status == 406);
  CHECK(host.get("/api/orders", {{"Accept", "text/html, application/json;q=0"}}).status == 406);
  for (const char* accept :
       {"*/*", "application/*;q=0.1", "text/html, application/json", "text/html, */*;q=0.8"})
    CHECK(host.get("/api/orders", {{"Accept", accept}}).status == 200);
  CHECK(host.database.number("select count(*) from orders") == 1);
}

TEST_CASE("A version is an ETag: 304 while nothing has changed") {
  ApiHost host;
  const std::string path = "/api/orders/" + host.place();
  const Answer same = host.get(path, {{"If-None-Match", "\"1\""}});
  CHECK(same.status == 304);
  CHECK(same.field("etag") == "\"1\"");
  CHECK(same.body.empty());
  CHECK(host.get(path, {{"If-None-Match", "W/\"1\", \"7\""}}).status == 304);
  CHECK(host.get(path, {{"If-None-Match", "*"}}).status == 304);
  CHECK(host.get(path, {{"If-None-Match", "\"2\""}}).status == 200);
  CHECK(host.get(path, {{"If-None-Match", "1"}}).status == 200);
}

TEST_CASE("An ETag covers what comes and goes without a version, and If-Match compares the version") {
  ApiHost host;
  const std::string id = host.place(), path = "/api/orders/" + id;
  const std::string before = host.get(path).field("etag");
  host.database.script(R"(update order_state set attention = '{"code":"REFUND_STUCK"}')");
  const Answer stuck = host.get(path, {{"If-None-Match", before}});
  CHECK(stuck.status == 200);
  CHECK(text(parsed(stuck)["attention"], "code") == "REFUND_STUCK");
  const std::string tag = stuck.field("etag");
  CHECK(tag != before);
  CHECK(host.get(path, {{"If-None-Match", tag}}).status == 304);
  host.database.script(R"(update order_state set attention = '{"code":"CAPTURE_STUCK"}')");
  CHECK(host.get(path, {{"If-None-Match", tag}}).status == 200);
  for (const char* other : {"\"2-12345678\"", "\"1x12345678\"", "\"1-1234\""})
    CHECK(host.post(path + "/cancel", "{}", {{"If-Match", other}}).status == 412);
  CHECK(host.post(path + "/cancel", "{}", {{"If-Match", tag}}).status == 202);
}

TEST_CASE("What the front refuses by itself can be read by a page of a listed origin") {
  ApiHost::Options options;
  options.access.cors_origins = {"https://shop.example"};
  ApiHost host(options);
  const std::string large(300 * 1024, 'x');
  const Answer refused = host.post("/api/orders", large, {{"Origin", "https://shop.example"}});
  CHECK(refused.status == 413);
  CHECK(refused.field("access-control-allow-origin") == "https://shop.example");
  CHECK(refused.field("vary") == "Origin");
  const Answer other = host.post("/api/orders", large, {{"Origin", "https://evil.example"}});
  CHECK(other.status == 413);
  CHECK(other.field("access-control-allow-origin").empty());
}

TEST_CASE("HEAD answers as GET does, without the body") {
  ApiHost host;
  const std::string path = "/api/orders/" + host.place();
  const Answer get = host.get(path), head = host.ask("HEAD", path);
  CHECK(head.status == 200);
  CHECK(head.field("content-length") == std::to_string(get.body.size()));
  CHECK(head.field("etag") == get.field("etag"));
  CHECK(head.body.empty());
}

TEST_CASE("X-Request-Id is the client's if it is sane, traceparent goes on into the event") {
  ApiHost host;
  CHECK(host.get("/api/orders", {{"X-Request-Id", "abc.DEF_1-2"}}).field("x-request-id") == "abc.DEF_1-2");
  for (const std::string& odd : {std::string("a b"), std::string(129, 'x'), std::string("<script>")})
    CHECK(Uuid::parse(host.get("/api/orders", {{"X-Request-Id", odd}}).field("x-request-id")));
  const Answer placed = host.post("/api/orders", order_body(), {{"X-Request-Id", "mine"}});
  CHECK(placed.field("x-request-id") == "mine");

  const std::string trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  host.post("/api/orders", order_body(), {{"traceparent", trace}});
  host.post("/api/orders", order_body(),
            {{"traceparent", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"}});
  CHECK(host.database.number("select count(*) from order_events where traceparent = '" + trace + "'") == 1);
  CHECK(host.database.number("select count(*) from order_events where traceparent ~ "
                             "'^00-[0-9a-f]{32}-[0-9a-f]{16}-01$' and traceparent !~ '^00-0{32}'") == 3);
}

TEST_CASE("A tracking token opens its order and no other; a wrong one opens nothing") {
  ApiHost host;
  const json::Document one = parsed(host.post("/api/orders", order_body()));
  const json::Document other = parsed(host.post("/api/orders", order_body()));
  const std::string path = "/api/orders/" + text(one, "id");
  CHECK(host.get(path + "?token=" + text(one, "trackingToken")).status == 200);
  CHECK(host.get(path + "?token=" + text(other, "trackingToken")).status == 404);
  CHECK(host.get(path + "?token=").status == 404);
  CHECK(host.get(path + "/stream?token=x").status == 404);
}

TEST_CASE("Health and metrics answer whoever monitors") {
  ApiHost host;
  CHECK(host.get("/healthz/live").status == 200);
  CHECK(host.get("/healthz/ready").status == 200);
  host.not_ready = {"kafka: no broker answers"};
  const Answer not_ready = host.get("/healthz/ready");
  CHECK(not_ready.status == 503);
  CHECK(not_ready.body.find("no broker answers") != std::string::npos);
  const Answer metrics = host.get("/metrics");
  CHECK(metrics.field("content-type") == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(metrics.body.find("orderd_http_requests_total") != std::string::npos);
}

TEST_CASE("Pages come from the folder, and nothing outside it does") {
  const WebDir web;
  ApiHost::Options options;
  options.web_dir = web.path;
  ApiHost host(options);
  const Answer index = host.get("/");
  CHECK(index.status == 200);
  CHECK(index.field("content-type") == "text/html; charset=utf-8");
  CHECK(index.field("content-security-policy").find("default-src 'self'") == 0);
  CHECK(index.field("x-content-type-options") == "nosniff");
  CHECK(index.field("referrer-policy") == "no-referrer");
  CHECK(index.field("cache-control") == "no-cache");
  CHECK(host.get("/", {{"If-None-Match", index.field("etag")}}).status == 304);
  CHECK(host.get("/app.js").field("content-type") == "text/javascript; charset=utf-8");
  for (const char* path : {"/console", "/console/"})
    CHECK(host.get(path).body.find("console") != std::string::npos);
  for (const char* path : {"/../etc/passwd", "/..%2f..%2fetc/passwd", "/console/../../etc/passwd",
                           "/%2e%2e/app.js", "//etc/passwd"}) {
    const int status = host.get(path).status;
    INFO(path);
    CHECK((status == 404 || status == 400));
  }
  CHECK(host.post("/app.js", "{}").status == 405);
  CHECK(host.get("/api/nothing").status == 404);
}
