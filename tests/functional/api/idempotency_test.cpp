#include <catch2/catch.hpp>

#include <atomic>
#include <set>
#include <thread>

#include "base/fault.h"
#include "functional/support/api_host.h"
#include "intake/idempotency.h"

using namespace orderd;
using namespace orderd::test;

namespace {

Headers key(const std::string& value) { return {{"Idempotency-Key", value}}; }

}  // namespace

TEST_CASE("The same key and body get the first answer again, whatever became of the order since") {
  ApiHost host;
  const Answer first = host.post("/api/orders", order_body(), key("k 1"));
  REQUIRE(first.status == 201);
  CHECK(first.field("idempotent-replayed").empty());
  host.advance(text(parsed(first), "id"), EventType::payment_authorized, Status::payment_authorized,
               PaymentStatus::authorized);
  const Answer again = host.post("/api/orders", order_body(), key("k 1"));
  CHECK(again.status == 201);
  CHECK(again.field("idempotent-replayed") == "true");
  CHECK(again.body == first.body);
  CHECK(again.field("etag") == first.field("etag"));
  CHECK(again.field("location") == first.field("location"));
  CHECK(host.database.number("select count(*) from orders") == 1);
}

TEST_CASE("The same key with another body is refused, and another key makes another order") {
  ApiHost host;
  REQUIRE(host.post("/api/orders", order_body(), key("k")).status == 201);
  const Answer other = host.post("/api/orders", order_body("c-43"), key("k"));
  CHECK(other.status == 422);
  CHECK(code_of(other) == "IDEMPOTENCY_KEY_REUSED");
  CHECK(host.post("/api/orders", order_body("c-43"), key("k2")).status == 201);
  CHECK(host.database.number("select count(*) from orders") == 2);
}

TEST_CASE("32 requests with one key at the same time make one order and get one answer") {
  ApiHost host;
  std::vector<std::thread> clients;
  std::mutex mutex;
  std::set<std::string> bodies;
  std::atomic<int> created{0}, replayed{0};
  for (int i = 0; i < 32; ++i)
    clients.emplace_back([&] {
      RawClient client(host.port());
      client.send(request_text("POST", "/api/orders", order_body(),
                               {{"Idempotency-Key", "same"}, {"Content-Type", "application/json"}}));
      const Answer answer = client.answer();
      if (answer.status == 201) ++(answer.field("idempotent-replayed").empty() ? created : replayed);
      std::lock_guard lock(mutex);
      bodies.insert(answer.body);
    });
  for (auto& client : clients) client.join();
  CHECK(created == 1);
  CHECK(replayed == 31);
  CHECK(bodies.size() == 1);
  CHECK(host.database.number("select count(*) from orders") == 1);
}

TEST_CASE("A client that went away before its answer finds it under its key") {
  ApiHost host;
  {
    RawClient gone(host.port());
    gone.send(request_text("POST", "/api/orders", order_body(),
                           {{"Idempotency-Key", "gone"}, {"Content-Type", "application/json"}}));
    gone.shutdown_send();
  }
  REQUIRE(eventually([&] { return host.database.number("select count(*) from orders") == 1; }));
  const Answer again = host.post("/api/orders", order_body(), key("gone"));
  CHECK(again.status == 201);
  CHECK(again.field("idempotent-replayed") == "true");
}

TEST_CASE("A key older than 24 hours counts as new") {
  ApiHost host;
  REQUIRE(host.post("/api/orders", order_body(), key("old")).status == 201);
  host.database.script("update idempotency_keys set created = now() - interval '24 hours 1 second'");
  const Answer other = host.post("/api/orders", order_body("c-43"), key("old"));
  CHECK(other.status == 201);
  CHECK(other.field("idempotent-replayed").empty());
  const Answer again = host.post("/api/orders", order_body("c-43"), key("old"));
  CHECK(again.field("idempotent-replayed") == "true");
  CHECK(host.database.number("select count(*) from orders") == 2);
  CHECK(host.database.number("select count(*) from idempotency_keys") == 1);
}

#ifdef ORDERD_FAULTS
TEST_CASE("A host whose clock is days ahead lets go of no key, and knows each again") {
  ApiHost host;
  REQUIRE(host.post("/api/orders", order_body(), key("shared")).status == 201);
  fault::turn_clock(48 * 3'600'000);
  store::Connection connection(host.database.options());
  CHECK(intake::purge_keys(connection, 1000) == 0);
  const Answer again = host.post("/api/orders", order_body(), key("shared"));
  fault::turn_clock(0);
  CHECK(again.field("idempotent-replayed") == "true");
  CHECK(host.database.number("select count(*) from orders") == 1);
  CHECK(host.database.number("select count(*) from orders where created > now() + interval '1 hour'") == 0);
}
#endif

TEST_CASE("A key that cannot be one is refused") {
  ApiHost host;
  const std::vector<std::string> bad{std::string(256, 'k'), "caf\xc3\xa9", ""};
  for (const std::string& value : bad) {
    const Answer answer = host.post("/api/orders", order_body(), key(value));
    INFO(answer.body);
    CHECK(answer.status == 400);
    CHECK(code_of(answer) == "INVALID_HEADER");
  }
  CHECK(host.post("/api/orders", order_body(), key(std::string(255, 'k'))).status == 201);
}

TEST_CASE("An order that the database refuses hurts no other of its batch") {
  ApiHost host;
  host.database.script("alter table orders add check (body->>'customerId' <> 'cursed')");
  std::vector<std::unique_ptr<RawClient>> clients;
  const auto send = [&](const std::string& customer) {
    clients.push_back(std::make_unique<RawClient>(host.port()));
    clients.back()->send(
        request_text("POST", "/api/orders", order_body(customer), {{"Content-Type", "application/json"}}));
  };
  {
    // The first order holds the writer up at a lock, so that the others form one batch.
    store::UnitOfWork lock(host.database.session());
    static constexpr store::Statement lock_orders{"lock_orders", "lock table orders in exclusive mode"};
    lock.run(lock_orders);
    send("first");
    REQUIRE(eventually([&] { return host.database.waits_for_a_lock(); }));
    for (int i = 0; i < 20; ++i) send(i % 10 == 7 ? "cursed" : "c");
    REQUIRE(eventually([&] { return host.intake->waiting() == 20; }));
  }
  int placed = 0, failed = 0;
  for (auto& client : clients) {
    const int status = client->answer().status;
    placed += status == 201;
    failed += status == 500;
  }
  CHECK(placed == 19);
  CHECK(failed == 2);
  CHECK(host.database.number("select count(*) from orders") == 19);
}
