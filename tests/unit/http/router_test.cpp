#include "http/router.h"

#include <catch2/catch.hpp>

using namespace orderd::http;

namespace {

Handler answers(int status) {
  return [status](Call&) -> Answer { return Reply{status, {}, ""}; };
}

Router router() {
  Router router;
  router.add("POST", "/api/orders", answers(1));
  router.add("GET", "/api/orders", answers(2));
  router.add("GET", "/api/orders/{id}", answers(3));
  router.add("POST", "/api/orders/{id}/cancel", answers(4));
  return router;
}

}  // namespace

TEST_CASE("A route is found by method and path, with what stood in its braces") {
  const Router routes = router();
  CHECK(routes.match("GET", "/api/orders").handler);
  CHECK(routes.match("HEAD", "/api/orders").handler == routes.match("GET", "/api/orders").handler);
  CHECK(routes.match("POST", "/api/orders").handler != routes.match("GET", "/api/orders").handler);
  const auto match = routes.match("POST", "/api/orders/42/cancel");
  REQUIRE(match.handler);
  CHECK(match.params == std::vector<std::string_view>{"42"});
}

TEST_CASE("A path that fits with another method names the methods it takes") {
  const Router routes = router();
  CHECK(routes.match("DELETE", "/api/orders").allow == "POST, GET, HEAD");
  CHECK(routes.match("HEAD", "/api/orders/42/cancel").allow == "POST");
  for (const char* path :
       {"", "/", "*", "/api", "/api/orders/", "/api/orders//cancel", "//api/orders", "/api/orders/1/2/3"}) {
    const auto match = routes.match("GET", path);
    INFO(path);
    CHECK_FALSE(match.handler);
    CHECK(match.allow.empty());
  }
}

TEST_CASE("The fallback takes the rest, but nothing below the API") {
  Router routes = router();
  routes.add_fallback(answers(5));
  CHECK(routes.match("GET", "/").handler);
  CHECK(routes.match("HEAD", "/x/y").handler);
  CHECK(routes.match("POST", "/x").allow == "GET, HEAD");
  for (const char* path : {"/api", "/api/", "/api/x"}) CHECK_FALSE(routes.match("GET", path).handler);
}
