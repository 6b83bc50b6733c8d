#include <catch2/catch.hpp>

#include <algorithm>
#include <future>
#include <set>

#include "functional/support/api_host.h"

using namespace orderd;
using namespace orderd::test;

namespace {

struct PageOfOrders {
  std::vector<std::string> ids;
  std::string cursor;
};

PageOfOrders page(ApiHost& host, const std::string& query) {
  const Answer answer = host.get("/api/orders?" + query);
  INFO(query << answer.body);
  REQUIRE(answer.status == 200);
  const json::Document document = parsed(answer);
  PageOfOrders out;
  for (const auto& order : document["data"].GetArray()) out.ids.push_back(text(order, "id"));
  if (document["nextCursor"].IsString()) out.cursor = document["nextCursor"].GetString();
  return out;
}

}  // namespace

TEST_CASE("A list shows orders as GET does, newest first, without history") {
  ApiHost host;
  const std::string older = host.place(), newer = host.place();
  host.advance(newer, EventType::payment_authorized, Status::payment_authorized, PaymentStatus::authorized);
  host.project();
  static constexpr store::Statement mark{"test_mark_refund",
                                         "update order_state set attention = "
                                         R"('{"code":"REFUND_STUCK"}' where id = $1)"};
  host.database.session().run(mark, store::Args().uuid(*Uuid::parse(newer)));
  const json::Document list = parsed(host.get("/api/orders"));
  REQUIRE(list["data"].Size() == 2);
  CHECK(text(list["data"][0], "id") == newer);
  CHECK(text(list["data"][1], "id") == older);
  CHECK(list["nextCursor"].IsNull());
  CHECK_FALSE(list["data"][0].HasMember("history"));
  CHECK(text(list["data"][0]["attention"], "code") == "REFUND_STUCK");
  CHECK(list["data"][1]["attention"].IsNull());
  json::Document single = parsed(host.get("/api/orders/" + newer));
  single.RemoveMember("history");
  CHECK(single == list["data"][0]);
}

TEST_CASE("Lists that take too long end by name, and keep nobody else waiting") {
  ApiHost host;
  const std::string id = host.place();
  host.project();
  host.database.script(
      "alter table orders_read rename to all_orders; create view orders_read as "
      "select * from all_orders where pg_sleep(30) is not null");
  std::vector<std::future<Answer>> lists;
  for (int i = 0; i < 8; ++i)
    lists.push_back(std::async(std::launch::async, [&] { return host.get("/api/orders?status=CANCELLED"); }));
  REQUIRE(eventually([&] {
    return host.database.number(
               "select count(*) from pg_stat_activity where "
               "datname = current_database() and wait_event = 'PgSleep'") > 0;
  }));
  const auto still = [&] {
    return std::any_of(lists.begin(), lists.end(), [](const auto& one) {
      return one.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
    });
  };
  CHECK(host.get("/healthz/live").status == 200);
  CHECK(host.get("/api/orders/" + id).status == 200);
  CHECK(host.post("/api/orders", order_body()).status == 201);
  CHECK(still());
  for (auto& list : lists) {
    const Answer answer = list.get();
    CHECK(answer.status == 503);
    CHECK(code_of(answer) == "LIST_TOO_WIDE");
  }
}

TEST_CASE("A cursor walks every order once that was there when the walk began, while others are placed") {
  ApiHost host;
  std::set<std::string> placed, walked;
  for (int i = 0; i < 25; ++i) placed.insert(host.place());
  host.project();
  std::string query = "limit=7";
  for (;;) {
    const PageOfOrders one = page(host, query);
    for (const std::string& id : one.ids) CHECK(walked.insert(id).second);
    if (one.cursor.empty()) break;
    query = "limit=7&cursor=" + one.cursor;
    host.place();
    host.project();
  }
  CHECK(walked == placed);
}

TEST_CASE("Lists filter by status, customer and time") {
  ApiHost host;
  const std::string a = host.place(order_body("anna")), b = host.place(order_body("a b&c=ü"));
  host.advance(a, EventType::payment_authorized, Status::payment_authorized, PaymentStatus::authorized);
  host.project();
  using Ids = std::vector<std::string>;
  CHECK(page(host, "status=PAYMENT_AUTHORIZED").ids == Ids{a});
  CHECK(page(host, "customerId=a+b%26c%3D%C3%BC").ids == Ids{b});
  CHECK(page(host, "customerId=anna&status=PENDING").ids.empty());
  const std::string created = text(parsed(host.get("/api/orders/" + b)), "createdAt");
  CHECK(page(host, "createdBefore=" + created).ids == Ids{a});
  CHECK(page(host, "createdAfter=" + created).ids.empty());
  CHECK(page(host, "createdAfter=2020-01-01T00:00:00Z&createdBefore=2100-01-01T00:00:00%2B01:00&limit=100")
            .ids == Ids{b, a});
}

TEST_CASE("A parameter that is unknown, wrong or there twice is refused by name") {
  ApiHost host;
  const std::vector<std::pair<std::string, std::string>> bad{
      {"limit=0", "/limit"},
      {"limit=101", "/limit"},
      {"limit=ten", "/limit"},
      {"limit=", "/limit"},
      {"limit=1&limit=2", "/limit"},
      {"offset=3", "/offset"},
      {"status=OPEN", "/status"},
      {"cursor=abc", "/cursor"},
      {"cursor=", "/cursor"},
      {"customerId=", "/customerId"},
      {"createdAfter=yesterday", "/createdAfter"},
      {"createdBefore=2026-13-01T00:00:00Z", "/createdBefore"},
      {"status=%ff", "/status"}};
  for (const auto& [query, pointer] : bad) {
    const Answer answer = host.get("/api/orders?" + query);
    INFO(query << answer.body);
    CHECK(answer.status == 400);
    CHECK(code_of(answer) == "INVALID_PARAMETER");
    CHECK(first_pointer(answer) == pointer);
  }
}

TEST_CASE("Without its read model a list is not there yet, and says so") {
  ApiHost host;
  host.database.script("drop table orders_read");
  const Answer answer = host.get("/api/orders");
  CHECK(answer.status == 503);
  CHECK(code_of(answer) == "READ_MODEL_UNAVAILABLE");
}

TEST_CASE("Products come from the inventory, page by page") {
  ApiHost host;
  const json::Document first = parsed(host.get("/api/products?limit=1"));
  CHECK(text(first["data"][0], "sku") == "SKU-0001");
  const json::Document second = parsed(host.get("/api/products?limit=1&cursor=" + text(first, "nextCursor")));
  CHECK(second["data"].Empty());
  CHECK(second["nextCursor"].IsNull());
  CHECK(host.get("/api/products?page=2").status == 400);
}
