#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

#include "functional/support/api_host.h"

using namespace orderd;
using namespace orderd::test;
using auth::Scope;

namespace {

/// A folder with a shop and a console, removed at the end.
class Pages {
 public:
  Pages() {
    std::filesystem::create_directories(path_ / "console");
    std::ofstream(path_ / "index.html") << "shop";
    std::ofstream(path_ / "console" / "index.html") << "console";
  }
  ~Pages() { std::filesystem::remove_all(path_); }
  std::string path() const { return path_.string(); }

 private:
  const std::filesystem::path path_ = std::filesystem::temp_directory_path() / Uuid::v7().to_string();
};

/// Routes as others add them: one that forgets to ask who is there, and one that asks.
void add_operators_routes(ApiHost& host) {
  host.api->router().add("GET", "/api/admin/forgetful",
                         [](http::Call& call) { return http::json_reply(200, "\"" + call.caller + "\""); });
  host.api->router().add("POST", "/api/admin/act", [](http::Call& call) -> http::Answer {
    if (auto problem = http::authorize(call, http::Scope::ops_act)) return std::move(*problem);
    return http::json_reply(200, "{}");
  });
}

struct Route {
  const char* method;
  std::string path, body;
};

/// What the keys with ops:read, ops:act and ops:money are answered; everybody else is refused.
std::vector<int> ops(int read, int act, int money) {
  return {401, 401, 401, 401, 401, 401, 403, 403, read, act, money, 403, 403, 401, 401};
}

/// One row of a table: a route, and what each caller is answered, in the order of the callers.
struct Row {
  Route route;
  std::vector<int> answers;
};

/// Whether a row asks the route "GET /api/orders/{id}". A stream's HEAD stands for its GET, a webhook's POST
/// for its GET.
bool is_row_of(const Row& row, const std::string& route) {
  const auto space = route.find(' ');
  const std::string method = route.substr(0, space), path = row.route.path;
  const bool same_method = row.route.method == method || (method == "GET" && path.ends_with("/stream")) ||
                           path.rfind("/api/webhooks/", 0) == 0;
  // A Router of this one route knows by itself which paths fit it.
  http::Router only;
  only.add("GET", route.substr(space + 1), [](http::Call&) { return http::json_reply(200, "{}"); });
  return same_method && only.match("GET", path).handler != nullptr;
}

struct Caller {
  const char* name;
  Headers headers;
  std::string query;
};

int ask(ApiHost& host, const Route& route, const Caller& caller) {
  Headers headers = caller.headers;
  if (!route.body.empty()) headers.emplace("Content-Type", "application/json");
  if (route.path.find("/stream") != std::string::npos) headers.emplace("Accept", "text/event-stream");
  const Answer answer = host.ask(route.method, route.path + caller.query, route.body, headers);
  // Whoever is refused is told how to come in, but not what is behind the door.
  if (answer.status == 401) CHECK(answer.field("www-authenticate").rfind("Bearer realm=\"orderd\"", 0) == 0);
  return answer.status;
}

void judge(ApiHost& host, const std::vector<Row>& rows, const std::vector<Caller>& callers) {
  for (const Row& row : rows) {
    REQUIRE(row.answers.size() == callers.size());
    for (std::size_t i = 0; i < callers.size(); ++i) {
      INFO(row.route.method << " " << row.route.path << " by " << callers[i].name);
      CHECK(ask(host, row.route, callers[i]) == row.answers[i]);
    }
  }
}

std::string tampered(std::string key) {
  key.back() = key.back() == '0' ? '1' : '0';
  return key;
}

struct KeysRequired {
  Pages pages;
  ApiHost host;
  std::string order, token;
  std::vector<Caller> callers;

  static ApiHost::Options options(const Pages& pages) {
    ApiHost::Options options;
    options.web_dir = pages.path();
    options.keys_required = true;
    options.keyring.refresh = std::chrono::milliseconds(20);
    return options;
  }
  KeysRequired() : host(options(pages)) {
    add_operators_routes(host);
    const std::string all = host.key({"all", {Scope::orders_read, Scope::orders_write}, {}, {}});
    const Answer placed = host.post("/api/orders", order_body("c-42"), bearer(all));
    REQUIRE(placed.status == 201);
    order = text(parsed(placed), "id");
    token = text(parsed(placed), "trackingToken");

    const std::string revoked = host.key({"revoked", {Scope::orders_read, Scope::orders_write}, {}, {}});
    auth::revoke_keys(host.database.session(), {"revoked", ""}, "test");
    host.learn(revoked, false);
    const std::string expired = host.key({"expired", {Scope::orders_read}, {}, now() + Millis(60'000)});
    host.database.script("update api_keys set expires = now() where caller = 'expired'");
    host.learn(expired, false);

    callers = {{"nobody", {}, ""},
               {"a malformed key", bearer("ok_1"), ""},
               {"another scheme", {{"Authorization", "Basic b2s6b2s="}}, ""},
               {"a wrong secret", bearer(tampered(all)), ""},
               {"a revoked key", bearer(revoked), ""},
               {"an expired key", bearer(expired), ""}};
    for (const Scope scope : auth::all_scopes()) {
      std::string caller(auth::name_of(scope));
      std::replace(caller.begin(), caller.end(), ':', '.');
      callers.push_back({auth::name_of(scope).data(), bearer(host.key({caller, {scope}, {}, {}})), ""});
    }
    const auth::Scopes both{Scope::orders_read, Scope::orders_write};
    callers.push_back({"bound to its customer", bearer(host.key({"own", both, "c-42", {}})), ""});
    callers.push_back({"bound to another", bearer(host.key({"other", both, "c-43", {}})), ""});
    callers.push_back({"a tracking token", {}, "?token=" + token});
    callers.push_back({"a wrong token", {}, "?token=" + tampered(token)});
  }
};

}  // namespace

TEST_CASE("With keys required, each route answers each kind of caller as its scopes say") {
  KeysRequired keys;
  const std::string order = "/api/orders/" + keys.order, saga = "/api/admin/sagas/" + keys.order;
  const std::string why = R"({"reason":"because"})";
  const std::vector<Row> rows{
      //                          401: no live key           orders  ops           bound     token
      //                          -                          r    w    r    a    m    own  other right wrong
      {{"POST", "/api/orders", order_body("c-42")},
       {401, 401, 401, 401, 401, 401, 403, 201, 403, 403, 403, 201, 403, 401, 401}},
      {{"GET", "/api/orders", ""},
       {401, 401, 401, 401, 401, 401, 200, 403, 403, 403, 403, 200, 200, 401, 401}},
      {{"GET", order, ""}, {401, 401, 401, 401, 401, 401, 200, 403, 403, 403, 403, 200, 404, 200, 404}},
      {{"HEAD", order + "/stream", ""},
       {401, 401, 401, 401, 401, 401, 200, 403, 403, 403, 403, 200, 404, 200, 404}},
      {{"POST", order + "/cancel", ""},
       {401, 401, 401, 401, 401, 401, 403, 202, 403, 403, 403, 202, 404, 401, 401}},
      {{"GET", "/api/products", ""},
       {401, 401, 401, 401, 401, 401, 200, 403, 403, 403, 403, 200, 200, 401, 401}},
      // A tracking token opens the order and its stream, and not this.
      {{"GET", order + "/explain", ""},
       {401, 401, 401, 401, 401, 401, 200, 403, 403, 403, 403, 200, 404, 401, 401}},
      {{"GET", "/api/admin/sagas", ""}, ops(200, 403, 403)},
      {{"GET", "/api/admin/sagas/search", ""}, ops(400, 403, 403)},
      {{"GET", saga, ""}, ops(200, 403, 403)},
      {{"POST", saga + "/retry", why}, ops(403, 409, 403)},
      {{"POST", saga + "/mark-done", why}, ops(403, 403, 409)},
      {{"POST", saga + "/skip", why}, ops(403, 403, 409)},
      {{"POST", saga + "/acknowledge", why}, ops(403, 409, 403)},
      {{"POST", "/api/admin/sagas/bulk", R"({"verb":"skip","reason":"r","filter":{}})"}, ops(403, 403, 202)},
      {{"GET", "/api/admin/switches", ""}, ops(200, 403, 403)},
      {{"PUT", "/api/admin/switches/captures", R"({"paused":false,"reason":"r"})"}, ops(403, 200, 403)},
      {{"GET", "/api/admin/plugins", ""}, ops(200, 403, 403)},
      {{"GET", "/api/admin/plugins/none/builds", ""}, ops(404, 403, 403)},
      {{"POST", "/api/admin/plugins/none/builds", R"({"reason":"r","file":"x.so"})"}, ops(403, 404, 403)},
      {{"POST", "/api/admin/plugins/none/switch", R"({"reason":"r","digest":"0123456"})"},
       ops(403, 404, 403)},
      {{"POST", "/api/admin/plugins/none/rollback", why}, ops(403, 409, 403)},
      {{"POST", "/api/admin/plugins/none/drain", R"({"reason":"r","digest":"0123456"})"}, ops(403, 404, 403)},
      {{"GET", "/api/admin/dead-letters", ""}, ops(200, 403, 403)},
      {{"GET", "/api/admin/dead-letters/1", ""}, ops(404, 403, 403)},
      {{"POST", "/api/admin/dead-letters/1/replay", why}, ops(403, 404, 403)},
      {{"POST", "/api/admin/dead-letters/replay", R"({"reason":"r","ids":[1]})"}, ops(403, 202, 403)},
      {{"GET", "/api/admin/forgetful", ""},
       {401, 401, 401, 401, 401, 401, 403, 403, 200, 200, 200, 403, 403, 401, 401}},
      {{"POST", "/api/admin/act", "{}"},
       {401, 401, 401, 401, 401, 401, 403, 403, 403, 200, 403, 403, 403, 401, 401}},
      {{"DELETE", "/api/admin/act", ""},
       {401, 401, 401, 401, 401, 401, 403, 403, 405, 405, 405, 403, 403, 401, 401}},
      {{"GET", "/api/admin/nothing", ""},
       {401, 401, 401, 401, 401, 401, 403, 403, 404, 404, 404, 403, 403, 401, 401}},
      // Open, because the plugin knows its provider by itself; there is none of this name.
      {{"POST", "/api/webhooks/none", "{}"}, std::vector<int>(15, 404)},
      {{"GET", "/console", ""}, std::vector<int>(15, 200)},
      {{"GET", "/", ""}, std::vector<int>(15, 200)},
      {{"GET", "/healthz/live", ""}, std::vector<int>(15, 200)},
      {{"GET", "/healthz/ready", ""}, std::vector<int>(15, 200)},
      {{"GET", "/metrics", ""}, std::vector<int>(15, 200)},
  };
  judge(keys.host, rows, keys.callers);
  for (const std::string& route : keys.host.api->router().routes()) {
    INFO(route << " has no row in the table");
    CHECK(std::any_of(rows.begin(), rows.end(), [&](const Row& row) { return is_row_of(row, route); }));
  }
  CHECK(code_of(keys.host.get(order, keys.callers[12].headers)) == "ORDER_NOT_FOUND");
  CHECK(keys.host.get(order, keys.callers[12].headers).body.size() ==
        keys.host.get("/api/orders/" + Uuid::v7().to_string(), keys.callers[6].headers).body.size());
}

TEST_CASE("With keys required, no route is open that is not known to be") {
  KeysRequired keys;
  const std::vector<std::string> open{"GET /healthz/live", "GET /healthz/ready", "GET /metrics",
                                      "POST /api/webhooks/{instance}", "GET /api/webhooks/{instance}"};
  for (const std::string& route : keys.host.api->router().routes()) {
    if (std::find(open.begin(), open.end(), route) != open.end()) continue;
    const auto space = route.find(' ');
    std::string path = route.substr(space + 1);
    for (auto at = path.find('{'); at != path.npos; at = path.find('{'))
      path.replace(at, path.find('}', at) - at + 1, keys.order);
    INFO(route);
    CHECK(keys.host.ask(route.substr(0, space), path).status == 401);
  }
}

TEST_CASE("While keys are off, operators' paths answer on the machine itself only") {
  const Pages pages;
  ApiHost::Options options;
  options.web_dir = pages.path();
  options.access.trusted_proxies = {"127.0.0.1"};
  ApiHost host(options);
  add_operators_routes(host);
  const std::string order = "/api/orders/" + host.place();
  const std::vector<Caller> callers{
      {"the machine itself", {}, ""},
      {"a key that nobody asked for", bearer("ok_1"), ""},
      {"the proxy for the machine itself", {{"X-Forwarded-For", "127.0.0.1"}}, ""},
      {"the proxy for somebody else", {{"X-Forwarded-For", "203.0.113.9"}}, ""},
      {"the proxy for somebody who lies", {{"X-Forwarded-For", "127.0.0.1, 203.0.113.9"}}, ""},
      {"another kind of proxy", {{"Forwarded", "for=203.0.113.9"}}, ""},
      {"a page of another site", {{"Origin", "http://evil.example"}}, ""},
      {"a name of another site", {{"Host", "evil.example"}}, ""},
      {"a page of its own", {{"Origin", "http://localhost"}}, ""},
  };
  const std::vector<int> local{200, 200, 200, 403, 403, 403, 403, 403, 200};
  judge(host,
        {
            {{"GET", "/api/admin/forgetful", ""}, local},
            {{"POST", "/api/admin/act", "{}"}, local},
            {{"GET", "/console", ""}, local},
            {{"GET", "/console/index.html", ""}, local},
            {{"GET", "/console/none", ""}, {404, 404, 404, 403, 403, 403, 403, 403, 404}},
            {{"GET", "/", ""}, std::vector<int>(9, 200)},
            {{"GET", order, ""}, std::vector<int>(9, 200)},
            {{"POST", "/api/orders", order_body()}, std::vector<int>(9, 201)},
            {{"POST", order + "/cancel", ""}, std::vector<int>(9, 202)},
            {{"GET", "/api/products", ""}, std::vector<int>(9, 200)},
        },
        callers);
  CHECK(code_of(host.get("/api/admin/forgetful", callers[3].headers)) == "LOOPBACK_ONLY");
}
