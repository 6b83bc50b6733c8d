// What clients see of a database that goes away, comes back, or loses its word at the worst moment.
#include <catch2/catch.hpp>

#include "base/metrics.h"
#include "base/troubles.h"
#include "functional/support/api_host.h"
#include "functional/support/cutting_proxy.h"

using namespace orderd;
using namespace orderd::test;

namespace {

void check_unavailable(const Answer& answer) {
  INFO(answer.body);
  CHECK(answer.status == 503);
  CHECK(code_of(answer) == "DATABASE_UNAVAILABLE");
  const json::Document problem = parsed(answer);
  CHECK(problem["retryable"].IsTrue());
  const int retry_after = std::stoi("0" + answer.field("retry-after"));
  CHECK(retry_after >= 1);
  CHECK(retry_after <= 5);
  for (const char* leak : {"select", "insert", "libpq", "127.0.0.1"})
    CHECK(answer.body.find(leak) == std::string::npos);
}

}  // namespace

TEST_CASE("While the database cannot be reached everything that needs it says so, and the rest goes on") {
  ApiHost::Options options;
  options.database_url = [](TestDatabase&) { return "host=127.0.0.1 port=1 user=nobody dbname=none"; };
  ApiHost host(options);
  const std::string id = "01920000-0000-7000-8000-000000000000";
  check_unavailable(host.post("/api/orders", order_body()));
  check_unavailable(host.post("/api/orders", order_body(), {{"Idempotency-Key", "k"}}));
  check_unavailable(host.get("/api/orders"));
  check_unavailable(host.get("/api/orders/" + id));
  check_unavailable(host.post("/api/orders/" + id + "/cancel", "{}"));
  check_unavailable(host.get("/api/orders/" + id + "/stream"));
  CHECK(host.get("/healthz/live").status == 200);
  CHECK(host.post("/api/orders", "{").status == 400);
}

TEST_CASE("When all sessions are ended the host goes on by itself, and streams lose nothing") {
  ApiHost host;
  const std::string id = host.place();
  StreamClient stream(host, id);
  CHECK(stream.ids(1) == std::vector<int>{1});
  host.get("/api/orders/" + id);
  CHECK(host.database.end_sessions() >= 2);
  const std::string next = host.place();
  CHECK(host.get("/api/orders/" + next).status == 200);
  CHECK(host.get("/api/orders").status == 200);
  host.advance(id, EventType::payment_authorized, Status::payment_authorized, PaymentStatus::authorized);
  CHECK(stream.ids(1) == std::vector<int>{2});
  CHECK(host.post("/api/orders/" + id + "/cancel", "{}").status == 202);
  CHECK(stream.ids(1) == std::vector<int>{3});
}

TEST_CASE("A COMMIT whose answer is lost is found out about, never guessed") {
  store::ConnectionOptions server;
  server.url = required_env("ORDERD_TEST_PG");
  store::Connection direct(server);
  CuttingProxy proxy(direct);
  for (const bool with_key : {false, true}) {
    for (const auto cut : {CuttingProxy::Cut::before_commit, CuttingProxy::Cut::after_commit}) {
      ApiHost::Options options;
      options.database_url = [&](TestDatabase& database) { return proxy.url(database.session()); };
      ApiHost host(options);
      REQUIRE(host.post("/api/orders", order_body()).status ==
              201);  // sessions stand, statements are prepared
      proxy.arm(cut);
      const Headers headers = with_key ? Headers{{"Idempotency-Key", "k"}} : Headers{};
      const Answer answer = host.post("/api/orders", order_body(), headers);
      INFO("key " << with_key << ", cut " << static_cast<int>(cut) << answer.body);
      CHECK(proxy.has_cut());
      REQUIRE(answer.status == 201);
      CHECK(answer.field("idempotent-replayed").empty());
      CHECK(host.database.number("select count(*) from orders") == 2);
      CHECK(host.database.number("select count(*) from order_events") == 2);
      CHECK(host.database.number("select count(*) from orders where id = '" + text(parsed(answer), "id") +
                                 "'") == 1);
    }
  }
}

TEST_CASE("An overfull intake turns orders away, writes none of those, and recovers") {
  ApiHost::Options options;
  options.queue_orders_max = 4;
  ApiHost host(options);
  std::vector<std::unique_ptr<RawClient>> clients;
  const auto send = [&] {
    clients.push_back(std::make_unique<RawClient>(host.port()));
    clients.back()->send(
        request_text("POST", "/api/orders", order_body(), {{"Content-Type", "application/json"}}));
  };
  {
    store::UnitOfWork lock(host.database.session());
    static constexpr store::Statement lock_orders{"lock_orders", "lock table orders in exclusive mode"};
    lock.run(lock_orders);
    send();
    REQUIRE(eventually([&] { return host.database.waits_for_a_lock(); }));
    for (int i = 0; i < 4; ++i) send();
    REQUIRE(eventually([&] { return host.intake->waiting() == 4; }));
    const Answer refused = host.post("/api/orders", order_body());
    CHECK(refused.status == 503);
    CHECK(code_of(refused) == "OVERLOADED");
    CHECK_FALSE(refused.field("retry-after").empty());
  }
  for (auto& client : clients) CHECK(client->answer().status == 201);
  CHECK(host.database.number("select count(*) from orders") == 5);
}

namespace {

void read_only(TestDatabase& database, bool on) {
  database.script(
      std::string("do $$ begin execute format('alter database %I set default_transaction_read_only "
                  "= ") +
      (on ? "on" : "off") + "', current_database()); end $$");
}

/// Each new row of the table is refused with this SQLSTATE.
void refuse_rows(TestDatabase& database, const std::string& table, const std::string& state) {
  database.script(
      "create or replace function refuse() returns trigger language plpgsql as $$ begin raise exception 'no' "
      "using errcode = '" +
      state + "'; end $$; create or replace trigger refuse before insert on " + table +
      " for each row execute function refuse()");
}

}  // namespace

TEST_CASE("A read-only period is a 503 while it lasts, and nobody keeps a session of it") {
  ApiHost host;
  const std::string id = host.place();
  read_only(host.database, true);
  host.database.end_sessions();
  check_unavailable(host.post("/api/orders", order_body()));
  check_unavailable(host.post("/api/orders/" + id + "/cancel", "{}"));
  CHECK(host.get("/api/orders/" + id).status == 200);
  read_only(host.database, false);
  REQUIRE(eventually([&] { return host.post("/api/orders", order_body()).status == 201; }));
  CHECK(eventually([&] { return host.post("/api/orders/" + id + "/cancel", "{}").status == 202; }));
}

TEST_CASE("A session that came to be in a read-only period is not kept when that is over") {
  ApiHost host;
  const std::string id = host.place();
  read_only(host.database, true);
  host.database.end_sessions();
  CHECK(host.get("/api/orders/" + id).status == 200);  // this session stays, and could write nothing
  read_only(host.database, false);
  const Answer answer = host.post("/api/orders/" + id + "/cancel", "{}");
  CHECK((answer.status == 202 || answer.status == 503));
  CHECK(eventually([&] { return host.post("/api/orders/" + id + "/cancel", "{}").status == 202; }));
}

TEST_CASE("What keeps the database from taking an order is named, and no order is lost or doubled") {
  ApiHost host;
  const auto& [state, words] =
      GENERATE(std::pair("53100", "no room left on its disk"), std::pair("42501", "lacks a right"),
               std::pair("58030", "storage fails"));
  const auto refused = [] {
    return metrics().counter("orderd_orders_refused_total", "", {{"code", "DATABASE_UNAVAILABLE"}}).Value();
  };
  const auto before = refused();
  refuse_rows(host.database, "orders", state);
  const Answer answer = host.post("/api/orders", order_body());
  check_unavailable(answer);
  CHECK(answer.body.find(words) != std::string::npos);
  CHECK(refused() == before + 1);
  const auto said = troubles().list();
  CHECK(std::any_of(said.begin(), said.end(), [](const auto& line) { return line.starts_with("intake: "); }));
  host.database.script("drop trigger refuse on orders");
  CHECK(host.post("/api/orders", order_body()).status == 201);
  CHECK(host.database.number("select count(*) from orders") == 1);
  CHECK(troubles().list().empty());
}

TEST_CASE("An order whose key somebody holds keeps no other order waiting for long") {
  ApiHost host;
  CHECK(host.post("/api/orders", order_body(), {{"Idempotency-Key", "held"}}).status == 201);
  RawClient waiting(host.port());
  {
    store::UnitOfWork lock(host.database.session());
    lock.run({"hold_keys", "delete from idempotency_keys"});  // rolled back
    waiting.send(request_text("POST", "/api/orders", order_body(),
                              {{"Content-Type", "application/json"}, {"Idempotency-Key", "held"}}));
    REQUIRE(eventually([&] { return host.database.waits_for_a_lock(); }));
    for (int i = 0; i < 5; ++i) CHECK(host.post("/api/orders", order_body()).status == 201);
  }
  const Answer answer = waiting.answer();
  CHECK((answer.status == 201 || answer.status == 503));
  CHECK(host.database.number("select count(*) from orders") == 6);
}

TEST_CASE("Health and numbers have a port of their own where one is wished for, and nothing else has") {
  ApiHost host;
  http::front::Options options;
  options.port = 0;
  options.workers = 1;
  http::front::Front monitoring(options, host.api->health_factory());
  RawClient client(monitoring.port());
  const auto status = [&](const std::string& path) {
    client.send(request_text("GET", path, "", {}));
    return client.answer().status;
  };
  CHECK(status("/healthz/live") == 200);
  CHECK(status("/healthz/ready") == 200);
  CHECK(status("/metrics") == 200);
  CHECK(status("/api/orders") == 404);
}

TEST_CASE("What the database says of a row it refuses does not repeat the row") {
  TestDatabase database;
  database.script("create table t (name text check (name <> 'Anna Muster'))");
  try {
    database.session().run({"insert_t", "insert into t values ($1::text)"},
                           store::Args().text("Anna Muster"));
    FAIL("the row was taken");
  } catch (const store::DbError& error) {
    CHECK(error.sqlstate == "23514");
    CHECK(std::string(error.what()).find("t_name_check") != std::string::npos);
    CHECK(std::string(error.what()).find("Anna") == std::string::npos);
  }
}
