#include "admin/dead_letters.h"

#include <catch2/catch.hpp>

#include "functional/support/api_host.h"
#include "outbox/dead_letters.h"

using namespace orderd;
using namespace orderd::test;

namespace {

void park(ApiHost& host, const std::string& consumer, const outbox::DeadLetter& letter) {
  store::UnitOfWork work(host.database.session());
  outbox::park(work, consumer, {letter});
  work.commit();
}

std::int64_t first_id(ApiHost& host, const std::string& query = "") {
  const json::Document page = parsed(host.get("/api/admin/dead-letters" + query));
  REQUIRE(page["data"].Size() > 0);
  return page["data"][0]["id"].GetInt64();
}

constexpr const char* why = R"({"reason":"the plugin is mended"})";

}  // namespace

TEST_CASE("A dead letter shows its reason, headers and payload") {
  ApiHost host;
  const std::string order = host.place();
  park(host, "saga", {*Uuid::parse(order), 1, 0, 1, "it is refused"});
  park(host, "saga@kafka", {{}, 0, 3, 7, "it has no key", R"({"header x":"y"})", "\xff"});
  park(host, "saga@kafka", {{}, 0, 3, 8, "it has no key", "{}", "plain"});
  const json::Document page = parsed(host.get("/api/admin/dead-letters"));
  REQUIRE(page["data"].Size() == 3);
  const json::Document ours =
      parsed(host.get("/api/admin/dead-letters/" + std::to_string(first_id(host, "?orderId=" + order))));
  CHECK(text(ours, "reason") == "it is refused");
  CHECK(text(ours, "type") == "ORDER_CREATED");
  CHECK(text(ours["headers"], "ce_id") == order + ":1");
  CHECK(text(ours, "payload").find("SKU-0001") != std::string::npos);
  const std::int64_t foreign = first_id(host, "?consumer=saga%40kafka");
  const std::string path = "/api/admin/dead-letters/" + std::to_string(foreign);
  const json::Document other = parsed(host.get(path));
  CHECK(other["orderId"].IsNull());
  CHECK(text(other["headers"], "header x") == "y");
  CHECK(text(other, "payloadBase64") == "_w");
  CHECK(host.post(path + "/replay", why).status == 409);
  const json::Document first = parsed(host.get("/api/admin/dead-letters?limit=1"));
  const json::Document rest =
      parsed(host.get("/api/admin/dead-letters?limit=2&cursor=" + text(first, "nextCursor")));
  CHECK(rest["data"].Size() == 2);
  CHECK(rest["nextCursor"].IsNull());
}

TEST_CASE("A replay of the saga's letter goes to its inbox, with an audit row") {
  ApiHost host;
  const std::string order = host.place();
  park(host, "saga", {*Uuid::parse(order), 1, 0, 1, "it is refused"});
  CHECK(host.database.number("with marked as (update order_state set attention = "
                             "'{\"code\":\"EVENT_PARKED\",\"since\":\"\"}' returning 1) select count(*) from "
                             "marked") == 1);
  const std::string path = "/api/admin/dead-letters/" + std::to_string(first_id(host));
  CHECK(host.post(path + "/replay", "{}").status == 400);
  CHECK(host.post(path + "/replay", why).status == 202);
  CHECK(host.database.number("select count(*) from saga_inbox where kind = 3 and order_id = '" + order +
                             "' and data ->> 'type' = 'ORDER_CREATED'") == 1);
  CHECK(host.database.number("select count(*) from parked") == 0);
  CHECK(host.database.number("select count(*) from order_state where attention is not null") == 0);
  CHECK(host.database.number("select count(*) from audit_log where verb = 'dead-letter.replay' and subject = "
                             "'" +
                             order + "'") == 1);
  CHECK(host.post(path + "/replay", why).status == 404);
}

TEST_CASE("Many letters are replayed at the rate that was asked for") {
  ApiHost host;
  for (int i = 0; i < 5; ++i)
    park(host, "projection:orders_read", {*Uuid::parse(host.place()), 1, 0, i + 1, "no"});
  const Answer answer =
      host.post("/api/admin/dead-letters/replay",
                R"({"reason":"mended","consumer":"projection:orders_read","ratePerSecond":2})");
  REQUIRE(answer.status == 202);
  CHECK(parsed(answer)["accepted"].Size() == 5);
  CHECK(host.database.number("select (extract(epoch from max(replay) - min(replay)) * 1000)::int8 from "
                             "parked") == 2000);
  const auto due =
      outbox::replays(host.database.session(), "projection:orders_read", {0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(due.size() < 5);
  CHECK(host.post("/api/admin/dead-letters/replay", R"({"reason":"r"})").status == 400);
  CHECK(host.post("/api/admin/dead-letters/replay", R"({"reason":"r","ids":[1],"ratePerSecond":0})").status ==
        400);
}

TEST_CASE("Foreign records are deleted when somebody says so, and an order's letters never") {
  ApiHost host;
  park(host, "saga", {*Uuid::parse(host.place()), 1, 0, 1, "no"});
  for (int i = 0; i < 3; ++i) park(host, "saga", {Uuid{}, 0, 0, 10 + i, "it has no key"});
  admin::ReplayWish wish;
  wish.ids = {first_id(host)};
  wish.actor = "anna", wish.reason = "noise";
  CHECK(admin::delete_foreign(host.database.session(), wish).count == 0);
  wish.ids.clear();
  wish.consumer = "saga";
  CHECK(admin::delete_foreign(host.database.session(), wish).count == 3);
  CHECK(host.database.number("select count(*) from parked") == 1);
  CHECK(host.database.number("select count(*) from audit_log where verb = 'dead-letter.delete'") == 1);
}
