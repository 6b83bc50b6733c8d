#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <future>

#include "harness.h"
#include "http_server.h"
#include "plugin_host/loading/settings_check.h"
#include "plugin_host/services/http_client.h"
#include "plugin_host/services/masks.h"
#include "plugin_host/services/plugin_metrics.h"
#include "plugin_host/services/timers.h"

namespace orderd::plugins {
namespace {

/// Settings judged by a schema; the complaint, or "".
std::string complaint(const std::string& schema, const std::map<std::string, std::string>& given,
                      CheckedSettings* out = nullptr) {
  orderd_descriptor descriptor;
  ORDERD_CLEAR(descriptor);
  descriptor.settings_schema = schema.c_str();
  try {
    const CheckedSettings checked = check_settings("one", {"/x.so", "", &descriptor}, given);
    if (out) *out = checked;
    return "";
  } catch (const PluginError& error) { return error.what(); }
}

const std::string schema =
    R"({"type":"object","additionalProperties":false,"required":["region"],"properties":{
  "region":{"type":"string","enum":["eu","us"]},
  "limit":{"type":"integer","minimum":1,"maximum":9,"default":3},
  "live":{"type":"boolean"},
  "key":{"type":"string","format":"secret"}}})";

TEST_CASE("settings that break their schema are told with key, value and what was expected") {
  CHECK(complaint(schema, {{"region", "eu"}, {"limit", "9"}, {"live", "yes"}}).empty());
  CHECK_THAT(complaint(schema, {{"region", "eu"}, {"limit", "ten"}}),
             Catch::Contains("setting \"limit\" is \"ten\": expected integer, minimum 1, maximum 9"));
  CHECK_THAT(complaint(schema, {{"region", "eu"}, {"limit", "10"}}), Catch::Contains("\"limit\" is \"10\""));
  CHECK_THAT(complaint(schema, {{"region", "eu"}, {"live", "true"}}), Catch::Contains("expected yes or no"));
  CHECK_THAT(complaint(schema, {{"region", "asia"}}), Catch::Contains("enum [\"eu\",\"us\"]"));
  CHECK_THAT(complaint(schema, {{"regoin", "eu"}}),
             Catch::Contains("setting \"regoin\" is unknown; known are region limit live key"));
  CHECK_THAT(complaint(schema, {}), Catch::Contains("setting \"region\" is missing"));
  CHECK_THAT(complaint("{", {}), Catch::Contains("its settings_schema is no JSON object"));
}

TEST_CASE("a build that is older than a setting does without it") {
  orderd_descriptor descriptor;
  ORDERD_CLEAR(descriptor);
  descriptor.settings_schema = schema.c_str();
  const Library library{"/x.so", "", &descriptor};
  const std::map<std::string, std::string> newer{{"region", "eu"}, {"retries", "3"}};
  CHECK_THROWS_WITH(check_settings("one", library, newer), Catch::Contains("\"retries\" is unknown"));
  const auto checked = check_settings("one", library, newer, {{"second_key", "sk_2"}}, true);
  CHECK(checked.values == std::map<std::string, std::string>{{"limit", "3"}, {"region", "eu"}});
  CHECK_THROWS_WITH(check_settings("one", library, {{"region", "asia"}}, {}, true), Catch::Contains("enum"));
}

TEST_CASE("a schema that is nested without end is refused") {
  std::string deep = R"({"properties":{"a":)";
  for (int i = 0; i < 200'000; ++i) deep += R"({"allOf":[)";
  CHECK_THAT(complaint(deep, {}), Catch::Contains("its settings_schema is no JSON object"));
}

TEST_CASE("a setting that is not given has its default") {
  CheckedSettings checked;
  REQUIRE(complaint(schema, {{"region", "eu"}}, &checked).empty());
  CHECK(checked.values == std::map<std::string, std::string>{{"limit", "3"}, {"region", "eu"}});
}

TEST_CASE("a secret that the host read from a file is taken as it is, also by a plugin without a schema") {
  orderd_descriptor descriptor;
  ORDERD_CLEAR(descriptor);
  descriptor.settings_schema = schema.c_str();
  const Library library{"/x.so", "", &descriptor};
  const auto checked = check_settings("one", library, {{"region", "eu"}}, {{"key", "sk_live_1234"}});
  CHECK(checked.values.at("key") == "sk_live_1234");
  CHECK(Masks(checked.secrets).masked("the key sk_live_1234") == "the key ***");
  CHECK_THROWS_WITH(check_settings("one", library, {{"region", "eu"}}, {{"kye", "sk_live_1234"}}),
                    Catch::Contains("\"kye\" is unknown"));
  descriptor.settings_schema = nullptr;
  CHECK(check_settings("one", library, {}, {{"key", "sk_live_1234"}}).secrets.size() == 1);
}

TEST_CASE("a secret comes by reference, and its text is masked in what a plugin logs") {
  const std::string file = std::string(ABI_PLUGINS) + "/secret";
  std::ofstream(file) << "sk_live_1234\n";
  CheckedSettings checked;
  REQUIRE(complaint(schema, {{"region", "eu"}, {"key", "file:" + file}}, &checked).empty());
  CHECK(checked.values["key"] == "sk_live_1234");
  CHECK(Masks(checked.secrets).masked("using sk_live_1234, sk_live_1234") == "using ***, ***");
  const std::string written_out = complaint(schema, {{"region", "eu"}, {"key", "sk_live_1234"}});
  CHECK_THAT(written_out, Catch::Contains("give file:/path or env:NAME") && !Catch::Contains("sk_live"));
  CHECK_THAT(complaint(schema, {{"region", "eu"}, {"key", "env:ORDERD_NOT_SET"}}),
             Catch::Contains("the variable ORDERD_NOT_SET is not set"));
  CHECK_THAT(complaint(schema, {{"region", "eu"}, {"key", "file:/nowhere"}}), Catch::Contains("/nowhere"));
}

TEST_CASE("timers fire in order of their time, once they are open, and not when cancelled or ended") {
  Timers timers;
  std::promise<void> last;
  std::string order;
  std::uint64_t number = 0;
  REQUIRE(timers.call_after(
              Millis(20), [&] { last.set_value(); }, number) == Timers::Answer::set);
  timers.call_after(
      Millis(1), [&] { order += "a"; }, number);
  timers.call_after(
      Millis(10), [&] { order += "x"; }, number);
  CHECK(timers.cancel(number));
  CHECK_FALSE(timers.cancel(number));
  timers.call_after(
      Millis(15), [&] { order += "b"; }, number);
  timers.open();
  REQUIRE(last.get_future().wait_for(std::chrono::seconds(10)) == std::future_status::ready);
  CHECK(order == "ab");
  timers.call_after(
      Millis(60'000), [&] { order += "never"; }, number);
  timers.end();
  CHECK(timers.call_after(
            Millis(0), [] {}, number) == Timers::Answer::ended);
}

TEST_CASE("a plugin's metrics are on the page with its instance, histograms as buckets") {
  PluginMetrics own("stripe-eu");
  using Kind = PluginMetrics::Kind;
  const auto calls = own.declare(Kind::counter, "acme_calls_total", "Calls.", {});
  CHECK(own.declare(Kind::counter, "acme_calls_total", "Calls.", {}).number == calls.number);
  const auto took = own.declare(Kind::histogram, "acme_call_ms", "How long.", {10, 100});
  own.add(calls.number, 3);
  own.add(calls.number, -1);
  own.observe(took.number, 50);
  own.set(999, 1);
  const std::string page = metrics().to_text();
  CHECK_THAT(page, Catch::Contains("orderd_plugin_acme_calls_total{instance=\"stripe-eu\"} 3"));
  CHECK_THAT(page, Catch::Contains("orderd_plugin_acme_call_ms_bucket{instance=\"stripe-eu\",le=\"10\"} 0"));
  CHECK_THAT(page, Catch::Contains("orderd_plugin_acme_call_ms_bucket{instance=\"stripe-eu\",le=\"100\"} 1"));
  CHECK_THAT(page, Catch::Contains("orderd_plugin_acme_call_ms_sum{instance=\"stripe-eu\"} 50"));
  CHECK(own.declare(Kind::counter, "acme_calls", "", {}).number == 0);
  CHECK(own.declare(Kind::gauge, "Bad name", "", {}).number == 0);
  CHECK(own.declare(Kind::gauge, "acme_calls_total", "", {}).number == 0);
}

/// One call to its end.
HttpResult call(HttpClient& client, HttpCall one) {
  std::promise<HttpResult> done;
  std::uint64_t number = 0;
  if (one.deadline == Time{}) one.deadline = now() + Millis(10'000);
  const auto answer = client.submit(
      std::move(one), [&](const HttpResult& r) { done.set_value(r); }, number);
  REQUIRE(answer == HttpClient::Answer::taken);
  auto result = done.get_future();
  REQUIRE(result.wait_for(std::chrono::seconds(20)) == std::future_status::ready);
  return result.get();
}

using Kind = HttpResult::Kind;

TEST_CASE("a request is answered with status, headers and body, over one connection") {
  HttpServer server("HTTP/1.1 402 Payment Required\r\nX-Kind: card\r\nContent-Length: 4\r\n\r\nnope");
  HttpClient client;
  for (int i = 0; i < 3; ++i) {
    const HttpResult result =
        call(client, {"POST", server.url() + "/v1/pay", "a=1", {{"Idempotency-Key", "k1"}}});
    CHECK(result.kind == Kind::answered);
    CHECK(result.status == 402);
    CHECK(result.body == "nope");
    CHECK(result.headers.at(0) == std::pair<std::string, std::string>("x-kind", "card"));
  }
  CHECK(server.connections() == 1);
  CHECK_THAT(server.last_request(), Catch::StartsWith("POST /v1/pay HTTP/1.1\r\n") &&
                                        Catch::Contains("Idempotency-Key: k1\r\n") && Catch::EndsWith("a=1"));
}

TEST_CASE("what surely did not reach the server is told from what may have") {
  HttpClient client;
  CHECK(call(client, {"POST", "http://127.0.0.1:1/", "x", {}}).kind == Kind::not_sent);
  HttpServer silent("");
  HttpCall slow{"POST", silent.url() + "/", "x", {}};
  slow.deadline = now() + Millis(300);
  CHECK(call(client, slow).kind == Kind::maybe_sent);
  slow.deadline = now() - Millis(1);
  CHECK(call(client, slow).kind == Kind::not_sent);
  HttpServer broken("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", true);
  CHECK(call(client, {"POST", broken.url() + "/", "x", {}}).kind == Kind::maybe_sent);
  HttpServer large("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789");
  HttpCall small{"GET", large.url() + "/", "", {}};
  small.response_bytes_max = 5;
  CHECK(call(client, small).kind == Kind::maybe_sent);
}

TEST_CASE("plain http beyond loopback, and what is no http, is not sent at all") {
  HttpClient client;
  for (const char* url : {"http://example.com/", "http://127.attacker.example/", "http://localhost.example/",
                          "ftp://127.0.0.1/", "file:///etc/passwd", "not a url", ""})
    CHECK(call(client, {"GET", url, "", {}}).kind == Kind::misused);
}

TEST_CASE("a request that is cancelled, or under way at the end, still ends exactly once") {
  HttpServer silent("");
  HttpClient client;
  std::atomic<int> ends{0};
  std::promise<void> cancelled;
  std::uint64_t first = 0, second = 0;
  const auto deadline = now() + Millis(60'000);
  client.submit(
      {"GET", silent.url() + "/", "", {}, deadline},
      [&](const HttpResult&) {
        ++ends;
        cancelled.set_value();
      },
      first);
  client.submit(
      {"GET", silent.url() + "/", "", {}, deadline}, [&](const HttpResult&) { ++ends; }, second);
  CHECK(client.cancel(first));
  REQUIRE(cancelled.get_future().wait_for(std::chrono::seconds(10)) == std::future_status::ready);
  CHECK_FALSE(client.cancel(first));
  client.end();
  CHECK(ends == 2);
  CHECK(client.submit(
            {"GET", silent.url(), "", {}, deadline}, [](const HttpResult&) {}, first) ==
        HttpClient::Answer::ended);
}

}  // namespace
}  // namespace orderd::plugins
