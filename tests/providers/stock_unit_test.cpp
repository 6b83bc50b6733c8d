// plugins/inventory/http on a host of cardboard: what is asked of the stock service, and what its answers
// mean.
#include <orderd/inventory.h>
#include <orderd/testing.hpp>

#include <catch2/catch.hpp>

using namespace orderd::testing;
using orderd::sdk::Outcome;

namespace {

struct Shop {
  Shop() {
    host.http.server = [this](const HttpRequest& request) {
      last = request;
      return answer;
    };
    plugin.begin();
  }
  ~Shop() { CHECK(host.violations().empty()); }
  Outcome run(const CommandSpec& spec, HttpAnswer given) {
    answer = std::move(given);
    return plugin.run(spec);
  }
  FakeHost host{Settings{{"url", "https://stock.example/api/"}, {"token", "secret-token"}}};
  HttpRequest last;
  HttpAnswer answer;
  Plugin plugin{host, orderd_plugin_entry_v1()};
};

HttpAnswer in_state(const char* state, const char* expires = "null") {
  return {200, std::string(R"({"reservation":"r","state":")") + state + R"(","expiresMs":)" + expires + "}"};
}
HttpAnswer refusal(std::int32_t status, const char* code) {
  return {status, std::string(R"({"code":")") + code + R"(","message":"why"})"};
}

}  // namespace

TEST_CASE("stock: a reserve names each article once, with token and key") {
  Shop shop;
  CommandSpec spec = command("inventory.reserve", "order/1");
  spec.lines = {{1, "B", 2, 100}, {2, "A", 1, 100}, {3, "B", 3, 100}};
  const Outcome outcome = shop.run(spec, in_state("RESERVED", "1700000000000"));
  CHECK(outcome.kind == ORDERD_DONE);
  CHECK(outcome.expires_ms == 1'700'000'000'000);
  CHECK(shop.last.url == "https://stock.example/api/reservations");
  CHECK(shop.last.body ==
        R"({"reservation":"order/1","lines":[{"sku":"A","quantity":1},{"sku":"B","quantity":5}]})");
  CHECK(shop.last.header("authorization") == "Bearer secret-token");
  CHECK(shop.last.header("idempotency-key") == spec.key);
  shop.run(command("inventory.release", "order/1"), in_state("RELEASED"));
  CHECK(shop.last.url == "https://stock.example/api/reservations/order%2F1/release");
}

TEST_CASE("stock: what an answer means") {
  struct Row {
    const char* what;
    const char* action;
    HttpAnswer answer;
    std::int32_t kind;
    const char* code;
  };
  const std::vector<Row> rows{
      {"reserved", "reserve", in_state("RESERVED"), ORDERD_DONE, ""},
      {"none left", "reserve", refusal(409, "OUT_OF_STOCK"), ORDERD_DECLINED, "OUT_OF_STOCK"},
      {"released before", "reserve", in_state("RELEASED"), ORDERD_DECLINED, "RESERVATION_CLOSED"},
      {"committed", "commit", in_state("COMMITTED"), ORDERD_DONE, ""},
      {"not committed", "commit", in_state("RESERVED"), ORDERD_UNKNOWN, "NOT_COMMITTED"},
      {"never there", "commit", refusal(404, "UNKNOWN_RESERVATION"), ORDERD_DECLINED, "RESERVATION_EXPIRED"},
      {"another's 404", "commit", {404, "<html>"}, ORDERD_RETRY, "STOCK_SERVICE_NOT_THERE"},
      {"expired", "extend", refusal(409, "RESERVATION_EXPIRED"), ORDERD_DECLINED, "RESERVATION_EXPIRED"},
      {"released", "release", in_state("RELEASED"), ORDERD_DONE, ""},
      {"not released", "release", in_state("COMMITTED"), ORDERD_UNKNOWN, "STILL_RESERVED"},
      {"wrong token", "reserve", refusal(401, ""), ORDERD_RETRY, "STOCK_TOKEN_REFUSED"},
      {"too many", "reserve", refusal(429, ""), ORDERD_RETRY, "STOCK_SERVICE_BUSY"},
      {"closed", "reserve", {503, "", {{"retry-after", "3"}}}, ORDERD_RETRY, "STOCK_SERVICE_BUSY"},
      {"a proxy's 503", "reserve", {503, ""}, ORDERD_UNKNOWN, "STOCK_SERVICE_FAILED"},
      {"failed", "reserve", {500, ""}, ORDERD_UNKNOWN, "STOCK_SERVICE_FAILED"},
      {"no sense", "reserve", {200, "{}"}, ORDERD_UNKNOWN, "STOCK_ANSWER_UNREADABLE"},
      {"cut", "reserve", {0, "", {}, 0, ORDERD_HTTP_MAYBE_SENT, "reset"}, ORDERD_UNKNOWN, "NO_ANSWER"},
      {"not sent", "reserve", {0, "", {}, 0, ORDERD_HTTP_NOT_SENT, "refused"}, ORDERD_RETRY, "NOT_SENT"}};
  Shop shop;
  for (const Row& row : rows) {
    INFO(row.what);
    const Outcome outcome = shop.run(command(std::string("inventory.") + row.action), row.answer);
    CHECK(outcome.kind == row.kind);
    CHECK(outcome.code == row.code);
  }
}

TEST_CASE("stock: a query finds what happened, and only its failure says nothing") {
  Shop shop;
  const auto asked = [&](const char* action, HttpAnswer answer) {
    return shop.run(query_of(command(std::string("inventory.") + action)), std::move(answer));
  };
  CHECK(asked("reserve", in_state("RESERVED")).query_answer == ORDERD_FOUND);
  CHECK(shop.last.method == "GET");
  CHECK(asked("reserve", refusal(404, "UNKNOWN_RESERVATION")).query_answer == ORDERD_NOT_FOUND_FINAL);
  CHECK(asked("reserve", {404, "<html>"}).query_answer == 0);
  CHECK(asked("reserve", in_state("RELEASED")).kind == ORDERD_DECLINED);
  CHECK(asked("commit", in_state("RESERVED")).query_answer == ORDERD_NOT_FOUND_FINAL);
  CHECK(asked("commit", in_state("COMMITTED")).query_answer == ORDERD_FOUND);
  CHECK(asked("release", in_state("COMMITTED")).query_answer == ORDERD_NOT_FOUND_FINAL);
  CHECK(asked("release", in_state("EXPIRED")).query_answer == ORDERD_FOUND);
  CHECK(asked("commit", {500, ""}).query_answer == 0);
}

TEST_CASE("stock: availability is passed on as whole numbers") {
  Shop shop;
  const Outcome outcome =
      shop.run(command("inventory.availability"), {200, R"({"available":{"SKU-0001":7}})"});
  CHECK(outcome.details_json == R"({"available":{"SKU-0001":7}})");
  CHECK(shop.last.body == R"({"skus":["SKU-0001"]})");
  CHECK(shop.run(command("inventory.availability"), {200, R"({"available":{"A":"7"}})"}).kind ==
        ORDERD_UNKNOWN);
}

TEST_CASE("stock: a command that makes no sense is not sent") {
  Shop shop;
  CommandSpec spec = command("inventory.reserve");
  spec.lines = {};
  CHECK(shop.run(spec, in_state("RESERVED")).code == "INVALID_COMMAND");
  spec.lines = {{1, "A", 0, 1}};
  CHECK(shop.run(spec, in_state("RESERVED")).code == "INVALID_COMMAND");
  CHECK(shop.last.url.empty());
}
