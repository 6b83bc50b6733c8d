#include <catch2/catch.hpp>

#include "functional/support/api_host.h"
#include "support/saga_story.h"

using namespace orderd;
using namespace orderd::test;
using saga::test::Story;

namespace {

/// An order as its saga's host leaves it when a step after the cancellation of a paid order fails: stuck.
struct StuckOrder {
  std::string id;
  StuckOrder(ApiHost& host, const std::string& code, std::int64_t captured) : id(host.place()) {
    Story story;
    story.come_to(4);
    story.cancel();
    story.answers(saga::test::of(OutcomeKind::done));
    story.answers(saga::test::of(OutcomeKind::declined, code));
    REQUIRE(story.saga.stuck);
    saga::Saga saga = story.saga;
    saga.order_id = *Uuid::parse(id);
    saga.payment.captured = captured;
    saga.reference = "ch_" + code;
    std::string definition;
    json::Object object(definition);
    object.add("text", story.definition.text).end();
    static constexpr store::Statement put_saga{
        "test_put_saga", "insert into sagas (order_id, shard, st, data) values ($1, 0::int2, 3::int2, $2)"};
    static constexpr store::Statement put_definition{"test_put_definition",
                                                     "insert into saga_definitions (digest, name, body) "
                                                     "values ($1, 'default', $2) on conflict do nothing"};
    static constexpr store::Statement mark{"test_mark",
                                           "update order_state set attention = '{}' where id = $1"};
    host.database.session().run(put_saga, store::Args().uuid(saga.order_id).jsonb(saga::to_json(saga)));
    host.database.session().run(put_definition,
                                store::Args().text(story.definition.digest).jsonb(definition));
    host.database.session().run(mark, store::Args().uuid(saga.order_id));
  }
  std::string path(const std::string& rest = "") const { return "/api/admin/sagas/" + id + rest; }
};

std::vector<std::string> ids_of(const Answer& answer) {
  INFO(answer.body);
  REQUIRE(answer.status == 200);
  std::vector<std::string> ids;
  const json::Document page = parsed(answer);
  for (const auto& one : page["data"].GetArray()) ids.push_back(text(one, "orderId"));
  return ids;
}

constexpr const char* why = R"({"reason":"seen in the dashboard"})";

std::int64_t rows_in(ApiHost& host, const std::string& table) {
  return host.database.number("select count(*) from " + table);
}

}  // namespace

TEST_CASE("Stuck orders are listed by money at risk, page by page") {
  ApiHost host;
  const StuckOrder small(host, "A", 5), big(host, "B", 5000), middle(host, "C", 500);
  host.place();
  const std::vector<std::string> wanted{big.id, middle.id, small.id};
  CHECK(ids_of(host.get("/api/admin/sagas?state=STUCK")) == wanted);
  CHECK(ids_of(host.get("/api/admin/sagas?attention=true")) == wanted);
  CHECK(ids_of(host.get("/api/admin/sagas?state=STUCK&code=C")) == std::vector<std::string>{middle.id});
  std::vector<std::string> walked;
  for (std::string cursor; walked.size() < 4;) {
    const Answer page = host.get("/api/admin/sagas?state=STUCK&limit=1" + cursor);
    for (const std::string& id : ids_of(page)) walked.push_back(id);
    const json::Document document = parsed(page);
    if (document["nextCursor"].IsNull()) break;
    cursor = "&cursor=" + text(document, "nextCursor");
  }
  CHECK(walked == wanted);
}

TEST_CASE("Sagas are filtered by step, plugin, state and age, and found by what people know") {
  ApiHost host;
  const StuckOrder one(host, "A", 1000), two(host, "B", 1000);
  const std::vector<std::string> both{one.id, two.id}, none;
  CHECK(ids_of(host.get("/api/admin/sagas")) == both);
  CHECK(ids_of(host.get("/api/admin/sagas?step=authorize&plugin=bank")) == both);
  CHECK(ids_of(host.get("/api/admin/sagas?plugin=stock")) == none);
  host.database.session().run(store::Statement{"test_serve",
                                               "update sagas set data = jsonb_set(data, '{instances}', "
                                               R"('{"payment":"stock"}') where order_id = $1)"},
                              store::Args().uuid(*Uuid::parse(two.id)));
  CHECK(ids_of(host.get("/api/admin/sagas?plugin=stock")) == std::vector<std::string>{two.id});
  CHECK(ids_of(host.get("/api/admin/sagas?plugin=bank")) == std::vector<std::string>{one.id});
  CHECK(ids_of(host.get("/api/admin/sagas?state=PENDING")) == none);
  CHECK(ids_of(host.get("/api/admin/sagas?olderThanSeconds=3600")) == none);
  CHECK(ids_of(host.get("/api/admin/sagas/search?providerReference=ch_B")) ==
        std::vector<std::string>{two.id});
  const std::vector<std::string> newest_first{two.id, one.id};
  CHECK(ids_of(host.get("/api/admin/sagas/search?sku=SKU-0001")) == newest_first);
  CHECK(ids_of(host.get("/api/admin/sagas/search?sku=SKU-0002")) == none);
  CHECK(ids_of(host.get("/api/admin/sagas/search?metadata.cart=88f1")) == newest_first);
  const Answer page = host.get("/api/admin/sagas/search?metadata.cart=88f1&limit=1");
  const std::string next = text(parsed(page), "nextCursor");
  CHECK(ids_of(host.get("/api/admin/sagas/search?metadata.cart=88f1&cursor=" + next)) ==
        std::vector<std::string>{one.id});
  for (const char* wrong : {"?state=NONE", "?plugin=none", "?limit=0", "?cursor=x", "?attention=no", "?x=1",
                            "/search", "/search?sku=A&providerReference=B", "/search?sku=A&cursor=x"})
    CHECK(host.get(std::string("/api/admin/sagas") + wrong).status == 400);
}

TEST_CASE("A saga's own page tells each attempt, event and verb") {
  ApiHost host;
  const StuckOrder order(host, "REFUSED", 1000);
  REQUIRE(host.post(order.path("/retry"), why).status == 202);
  const json::Document page = parsed(host.get(order.path()));
  CHECK(text(page, "state") == "STUCK");
  CHECK(page["moneyAtRisk"].GetInt64() == 1000);
  CHECK(text(page["stuck"], "code") == "REFUSED");
  CHECK(text(page["open"], "commandKey").find(order.id + ".payment.refund.") == 0);
  CHECK(page["steps"].Size() == 4);
  std::map<std::string, int> kinds;
  for (const auto& entry : page["timeline"].GetArray()) ++kinds[text(entry, "kind")];
  CHECK(kinds["call"] == 6);
  CHECK(kinds["event"] == 1);
  CHECK(kinds["audit"] == 1);
}

TEST_CASE("A verb becomes a row of the inbox together with its audit row") {
  ApiHost host;
  const StuckOrder order(host, "REFUSED", 1000);
  CHECK(host.post(order.path("/mark-done"), why).status == 409);
  CHECK(rows_in(host, "saga_inbox") == 0);
  const Answer done =
      host.post(order.path("/mark-done"), R"({"reason":"seen","providerReference":"re_1","amount":1000})");
  INFO(done.body);
  CHECK(done.status == 202);
  CHECK(rows_in(host,
                "saga_inbox where data ->> 'verb' = 'done' and data ->> 'reference' = 're_1' and "
                "data ->> 'actor' = 'local' and (data ->> 'seq')::int > 0") == 1);
  CHECK(rows_in(host,
                "audit_log where verb = 'saga.mark-done' and actor = 'local' and reason = 'seen' and "
                "subject = '" +
                    order.id + "'") == 1);
}

TEST_CASE("A dry run names the effects and changes nothing") {
  ApiHost host;
  const StuckOrder order(host, "REFUSED", 1000);
  const Answer answer = host.post(order.path("/retry?dryRun=true"), why);
  REQUIRE(answer.status == 200);
  const json::Document told = parsed(answer);
  REQUIRE(told["effects"].Size() == 1);
  CHECK(text(told["effects"][0], "action") == "payment.refund");
  CHECK(text(told["effects"][0], "plugin") == "bank");
  CHECK(told["effects"][0]["amount"].GetInt64() == 1000);
  CHECK(text(told, "thenStatus") == "CANCELLED");
  CHECK(rows_in(host, "saga_inbox") == 0);
  CHECK(rows_in(host, "audit_log") == 0);
}

TEST_CASE("A bulk answers each order for itself") {
  ApiHost host;
  const StuckOrder order(host, "REFUSED", 1000);
  const std::string running = host.place(), unknown = Uuid::v7().to_string();
  const Answer answer =
      host.post("/api/admin/sagas/bulk", R"({"verb":"skip","reason":"r","orderIds":[")" + order.id + "\",\"" +
                                             running + "\",\"" + unknown + "\"]}");
  REQUIRE(answer.status == 202);
  std::map<std::string, bool> accepted;
  const json::Document page = parsed(answer);
  for (const auto& one : page["results"].GetArray())
    accepted[text(one, "orderId")] = one["accepted"].GetBool();
  CHECK(accepted == std::map<std::string, bool>{{order.id, true}, {running, false}, {unknown, false}});
  CHECK(rows_in(host, "saga_inbox") == 1);
  const Answer filtered =
      host.post("/api/admin/sagas/bulk",
                R"({"verb":"retry","reason":"r","dryRun":true,"filter":{"state":"STUCK","code":"REFUSED"}})");
  CHECK(filtered.status == 200);
  CHECK(parsed(filtered)["results"].Size() == 1);
  for (const char* wrong :
       {R"({"verb":"mark-done","reason":"r","filter":{}})", R"({"verb":"retry","reason":"r"})",
        R"({"verb":"retry","filter":{}})", R"({"verb":"retry","reason":"r","orderIds":["x"]})",
        R"({"verb":"retry","reason":"r","filter":{"state":"NONE"}})",
        R"({"verb":"retry","reason":"r","dry":1})"})
    CHECK(host.post("/api/admin/sagas/bulk", wrong).status == 400);
}

TEST_CASE("A paused intake answers known keys and takes no new order, until it is resumed") {
  ApiHost host;
  const Headers key{{"Idempotency-Key", "cart-1"}};
  const Answer first = host.post("/api/orders", order_body(), key);
  REQUIRE(first.status == 201);
  const auto set = [&](bool paused) {
    return host.ask(
        "PUT", "/api/admin/switches/intake",
        std::string(R"({"paused":)") + (paused ? "true" : "false") + R"(,"reason":"stocktaking"})",
        {{"Content-Type", "application/json"}});
  };
  REQUIRE(set(true).status == 200);
  REQUIRE(eventually([&] { return host.post("/api/orders", order_body()).status == 503; }));
  const Answer refused = host.post("/api/orders", order_body(), {{"Idempotency-Key", "cart-2"}});
  CHECK(code_of(refused) == "INTAKE_PAUSED");
  CHECK(std::stoi(refused.field("retry-after")) >= 30);
  const Answer again = host.post("/api/orders", order_body(), key);
  CHECK(again.status == 201);
  CHECK(again.field("idempotent-replayed") == "true");
  CHECK(text(parsed(again), "id") == text(parsed(first), "id"));
  const json::Document list = parsed(host.get("/api/admin/switches"));
  CHECK(text(list["data"][0], "reason") == "stocktaking");
  REQUIRE(set(false).status == 200);
  REQUIRE(set(false).status == 200);
  CHECK(eventually([&] { return host.post("/api/orders", order_body()).status == 201; }));
  CHECK(rows_in(host, "audit_log where subject = 'intake'") == 2);
}

TEST_CASE("Switches are those that exist, and need a reason") {
  ApiHost host;
  const Headers json{{"Content-Type", "application/json"}};
  const auto put = [&](const std::string& name, const std::string& body) {
    return host.ask("PUT", "/api/admin/switches/" + name, body, json).status;
  };
  CHECK(put("plugin:bank", R"({"paused":true,"reason":"its provider asked"})") == 200);
  CHECK(put("plugin%3Abank", R"({"paused":true,"reason":"its provider asked"})") == 200);
  const Answer stock =
      host.ask("PUT", "/api/admin/switches/plugin:stock", R"({"paused":true,"reason":"r"})", json);
  CHECK(stock.status == 404);
  CHECK(stock.body.find("inside the host's transactions") != std::string::npos);
  CHECK(host.get("/api/admin/switches").body.find("plugin:stock") == std::string::npos);
  CHECK(put("plugin:none", R"({"paused":true,"reason":"r"})") == 404);
  CHECK(put("captures", R"({"paused":true})") == 400);
  CHECK(put("captures", R"({"paused":"yes","reason":"r"})") == 400);
  CHECK(rows_in(host, "switches") == 1);
}

TEST_CASE("An order explains itself to whoever may see it") {
  ApiHost host;
  const StuckOrder order(host, "REFUSED", 1000);
  const json::Document told = parsed(host.get("/api/orders/" + order.id + "/explain"));
  CHECK(text(told, "state") == "STUCK");
  CHECK(text(told, "explanation").find("What helps: retry") != std::string::npos);
  CHECK(told["nextAt"].IsNull());
  const json::Document fresh = parsed(host.get("/api/orders/" + host.place() + "/explain"));
  CHECK(text(fresh, "explanation").find("takes it up within moments") != std::string::npos);
}
