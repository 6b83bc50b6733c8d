#include <catch2/catch.hpp>

#include "functional/support/api_host.h"

using namespace orderd;
using namespace orderd::test;
using auth::Scope;

namespace {

constexpr std::chrono::milliseconds soon{20};
const auth::Scopes orders{Scope::orders_read, Scope::orders_write};

ApiHost::Options with_keys() {
  ApiHost::Options options;
  options.keys_required = true;
  options.keyring.refresh = soon;
  return options;
}

Headers with(Headers headers, const std::string& name, const std::string& value) {
  headers[name] = value;
  return headers;
}

std::vector<std::string> listed(const Answer& answer) {
  REQUIRE(answer.status == 200);
  std::vector<std::string> ids;
  const json::Document page = parsed(answer);
  for (const auto& order : page["data"].GetArray()) ids.push_back(text(order, "id"));
  return ids;
}

}  // namespace

TEST_CASE("A refusal names the missing scope") {
  ApiHost host(with_keys());
  const Answer answer =
      host.post("/api/orders", order_body(), bearer(host.key({"shop", {Scope::ops_act}, {}, {}})));
  CHECK(answer.status == 403);
  CHECK(code_of(answer) == "MISSING_SCOPE");
  CHECK(text(parsed(answer), "detail").find("orders:write") != std::string::npos);
  CHECK(answer.field("www-authenticate") ==
        R"(Bearer realm="orderd", error="insufficient_scope", scope="orders:write")");
}

TEST_CASE("A key of one customer lists, places and cancels that customer's orders only") {
  ApiHost host(with_keys());
  const Headers all = bearer(host.key({"back-office", orders, {}, {}}));
  const Headers bound = bearer(host.key({"anna", orders, "c-42", {}}));
  const std::string own = text(parsed(host.post("/api/orders", order_body("c-42"), all)), "id");
  const std::string foreign = text(parsed(host.post("/api/orders", order_body("c-43"), all)), "id");
  host.project();
  CHECK(listed(host.get("/api/orders", all)).size() == 2);
  CHECK(listed(host.get("/api/orders", bound)) == std::vector<std::string>{own});
  CHECK(listed(host.get("/api/orders?customerId=c-42", bound)) == std::vector<std::string>{own});
  CHECK(listed(host.get("/api/orders?customerId=c-43", bound)).empty());

  const Answer placed = host.post("/api/orders", order_body("c-43"), bound);
  CHECK(placed.status == 403);
  CHECK(code_of(placed) == "FOREIGN_CUSTOMER");
  const Headers with_key = with(bound, "Idempotency-Key", "k");
  CHECK(host.ask("POST", "/api/orders/" + foreign + "/cancel", "", with_key).status == 404);
  CHECK(host.database.number("select count(*) from order_state where status <> 1") == 0);
  CHECK(host.database.number("select count(*) from idempotency_keys") == 0);
  CHECK(host.ask("POST", "/api/orders/" + own + "/cancel", "", with_key).status == 202);
}

TEST_CASE("Idempotency keys belong to the caller, whichever of its keys it uses") {
  ApiHost host(with_keys());
  const std::string first = host.key({"shop", orders, {}, {}});
  const std::string other = host.key({"other-shop", orders, {}, {}});
  const auto place = [&](const std::string& key) {
    return host.post("/api/orders", order_body(), with(bearer(key), "Idempotency-Key", "cart-1"));
  };
  const Answer placed = place(first);
  REQUIRE(placed.status == 201);
  const auto second = auth::rotate_key(host.database.session(), {"shop", {}}, "test");
  host.learn(second.text, true);
  CHECK(place(first).body == placed.body);  // both live
  auth::revoke_keys(host.database.session(), {std::string(*auth::id_in(first)), ""}, "test");
  host.learn(first, false);
  CHECK(place(first).status == 401);
  const Answer again = place(second.text);
  CHECK(again.field("idempotent-replayed") == "true");
  CHECK(again.body == placed.body);
  const Answer others = place(other);
  CHECK(others.status == 201);
  CHECK(others.field("idempotent-replayed").empty());
  CHECK(others.body != placed.body);
}

TEST_CASE("A caller has at most two live keys, and each change of keys leaves an audit row") {
  TestDatabase database;
  auto& session = database.session();
  const auto first = auth::create_key(session, {"shop", orders, "c-42", {}}, "anna");
  CHECK_THROWS_AS(auth::create_key(session, {"shop", orders, {}, {}}, "anna"), auth::KeyError);
  const auto second = auth::rotate_key(session, {"shop", {}}, "anna");
  CHECK(second.wish.customer == "c-42");
  CHECK(second.wish.scopes.to_string() == "orders:read orders:write");
  CHECK_THROWS_AS(auth::rotate_key(session, {"shop", {}}, "anna"), auth::KeyError);
  CHECK(auth::revoke_keys(session, {first.id, "changed over"}, "bert") == std::vector<std::string>{first.id});
  CHECK_THROWS_AS(auth::revoke_keys(session, {first.id, ""}, "bert"), auth::KeyError);
  REQUIRE(auth::live_keys(session).size() == 1);
  CHECK(auth::live_keys(session)[0].id == second.id);
  CHECK(database.number("select count(*) from audit_log where subject = 'shop'") == 3);
  CHECK(database.number("select count(*) from audit_log where actor = 'bert' and verb = 'keys.revoke' and "
                        "reason = 'changed over' and data ->> 'key' = '" +
                        first.id + "'") == 1);
  // No secret is anywhere in the database.
  CHECK(database.number("select count(*) from api_keys k, audit_log a where (k::text || a::text) like '%" +
                        second.text.substr(20) + "%'") == 0);
}

TEST_CASE("A revoked key's request is refused within five seconds, and its stream ends within fifteen") {
  ApiHost::Options options;
  options.keys_required = true;  // with the times that hosts have
  ApiHost host(options);
  const std::string key = host.key({"shop", orders, {}, {}});
  const Answer placed = host.post("/api/orders", order_body(), bearer(key));
  REQUIRE(placed.status == 201);
  const std::string order = text(parsed(placed), "id");
  StreamClient by_key(host, order, bearer(key));
  CHECK(by_key.ids(1) == std::vector<int>{1});
  const auto revoked = std::chrono::steady_clock::now();
  auth::revoke_keys(host.database.session(), {"shop", ""}, "test");
  CHECK(eventually([&] { return host.get("/api/orders/" + order, bearer(key)).status == 401; }));
  CHECK(std::chrono::steady_clock::now() - revoked < std::chrono::seconds(5));
  CHECK(by_key.ends());
  CHECK(std::chrono::steady_clock::now() - revoked < std::chrono::seconds(15));
}

TEST_CASE("A stream by tracking token outlives every key, and its head is as complete as any answer's") {
  ApiHost::Options options = with_keys();
  options.access.cors_origins = {"https://shop.example"};
  options.access.rate = {100, 100};
  options.access.count_loopback = true;
  ApiHost host(options);
  const std::string key = host.key({"shop", orders, {}, {}});
  const json::Document order = parsed(host.post("/api/orders", order_body(), bearer(key)));
  StreamClient stream(host, text(order, "id"), {{"Origin", "https://shop.example"}}, 0,
                      "?token=" + text(order, "trackingToken"));
  CHECK(stream.ids(1) == std::vector<int>{1});
  for (const char* field : {"Access-Control-Allow-Origin: https://shop.example\r\n", "Vary: Origin\r\n",
                            "RateLimit: ", "X-Request-Id: ", "X-Content-Type-Options: nosniff\r\n"})
    CHECK(stream.received.find(field) != std::string::npos);
  auth::revoke_keys(host.database.session(), {"shop", ""}, "test");
  host.learn(key, false);
  host.advance(text(order, "id"), EventType::payment_authorized, Status::payment_authorized,
               PaymentStatus::authorized);
  CHECK(stream.ids(1) == std::vector<int>{2});
}

TEST_CASE("While keys cannot be read they are believed for a time, and then nobody is") {
  ApiHost::Options options = with_keys();
  options.keyring.believed = std::chrono::milliseconds(1500);
  ApiHost host(options);
  const std::string key = host.key({"shop", orders, {}, {}});
  host.database.script("alter table api_keys rename to away");
  CHECK(host.get("/api/products", bearer(key)).status == 200);
  Answer answer;
  CHECK(eventually([&] { return (answer = host.get("/api/products", bearer(key))).status != 200; }));
  CHECK(answer.status == 503);
  CHECK_FALSE(answer.field("retry-after").empty());
  CHECK(code_of(answer) == "KEYS_UNAVAILABLE");
  CHECK(host.get("/api/products").status == 401);
  host.database.script("alter table away rename to api_keys");
  CHECK(eventually([&] { return host.get("/api/products", bearer(key)).status == 200; }));
}

TEST_CASE("Each key has a rate of its own, and whoever exceeds it is told when to come again") {
  ApiHost::Options options = with_keys();
  options.access.rate = {1, 3};
  ApiHost host(options);
  const Headers one = bearer(host.key({"one", orders, {}, {}}));
  const Headers two = bearer(host.key({"two", orders, {}, {}}));
  const Answer first = host.get("/api/products", one);
  CHECK(first.status == 200);
  CHECK(first.field("ratelimit-policy") == "\"default\";q=3;w=3");
  CHECK(first.field("ratelimit") == "\"default\";r=2;t=1");
  Answer last;
  CHECK(eventually([&] { return (last = host.get("/api/products", one)).status != 200; }));
  CHECK(last.status == 429);
  CHECK(code_of(last) == "RATE_LIMITED");
  CHECK(parsed(last)["retryable"].GetBool());
  CHECK(last.field("retry-after") == "1");
  CHECK(last.field("ratelimit").rfind("\"default\";r=0", 0) == 0);
  CHECK(host.get("/api/products", two).status == 200);
  CHECK(host.get("/healthz/live", one).status == 200);
  CHECK(host.get("/healthz/live", one).field("ratelimit").empty());
}

TEST_CASE("Without keys each address has a rate of its own, as a trusted proxy tells it") {
  ApiHost::Options options;
  options.access.rate = {1, 2};
  options.access.trusted_proxies = {"127.0.0.1"};
  ApiHost host(options);
  const Headers one{{"X-Forwarded-For", "198.51.100.1, 203.0.113.1"}};
  const Headers two{{"X-Forwarded-For", "198.51.100.1, 203.0.113.2"}};
  CHECK(eventually([&] { return host.get("/api/products", one).status == 429; }));
  CHECK(host.get("/api/products", two).status == 200);
  for (int i = 0; i < 5; ++i) CHECK(host.get("/api/products").status == 200);  // the loopback is not counted
}

TEST_CASE("Pages of listed origins may use the API, and no others") {
  ApiHost::Options options = with_keys();
  options.access.cors_origins = {"https://shop.example"};
  ApiHost host(options);
  const auto preflight = [&](const std::string& path, const std::string& origin) {
    return host.ask("OPTIONS", path, "",
                    {{"Origin", origin},
                     {"Access-Control-Request-Method", "POST"},
                     {"Access-Control-Request-Headers", "authorization, idempotency-key"}});
  };
  const Answer good = preflight("/api/orders", "https://shop.example");
  CHECK(good.status == 204);
  CHECK(good.field("access-control-allow-origin") == "https://shop.example");
  CHECK(good.field("access-control-allow-methods") == "POST, GET, HEAD");
  CHECK(good.field("access-control-allow-headers").find("Idempotency-Key") != std::string::npos);
  CHECK(good.field("access-control-allow-credentials").empty());
  CHECK(good.field("vary").find("Origin") == 0);
  const Answer bad = preflight("/api/orders", "https://shop.example.evil.example");
  CHECK(bad.field("access-control-allow-origin").empty());
  CHECK(bad.field("access-control-allow-methods").empty());
  CHECK(bad.field("vary").find("Origin") == 0);
  for (const char* path : {"/api/admin/sagas", "/metrics", "/healthz/live"})
    CHECK(preflight(path, "https://shop.example").field("access-control-allow-origin").empty());

  const std::string key = host.key({"shop", orders, {}, {}});
  for (const Headers& credentials : {bearer(key), Headers{}}) {  // a refusal can be read as well
    const Answer answer =
        host.post("/api/orders", order_body(), with(credentials, "Origin", "https://shop.example"));
    CHECK(answer.field("access-control-allow-origin") == "https://shop.example");
    CHECK(answer.field("access-control-expose-headers").find("Location") != std::string::npos);
    CHECK(answer.field("vary") == "Origin");
  }
  const Answer plain = host.get("/api/products", bearer(key));
  CHECK(plain.field("vary") == "Origin");
  CHECK(plain.field("access-control-allow-origin").empty());
}
