// One table of outcomes for both judges: the host's, and the one that a plugin's author tests with.
#include <catch2/catch.hpp>
#include <functional>
#include <orderd/testing.hpp>

#include "plugin_host/calling/translate.h"

namespace orderd::plugins {
namespace {

std::string long_text(std::size_t size) { return std::string(size, 'X'); }

struct Row {
  const char* what;
  bool sound;
  std::function<void(orderd_outcome&)> bend;
  bool query = false;
};

std::function<void(orderd_outcome&)> text(orderd_view orderd_outcome::*field, std::string value) {
  return [=](orderd_outcome& o) { o.*field = orderd_view{value.data(), value.size()}; };
}
std::function<void(orderd_outcome&)> url(std::string value) {
  return [=](orderd_outcome& o) {
    o.kind = ORDERD_PENDING;
    o.next_action_type = orderd_text("redirect");
    o.next_action_url = to_view(value);
  };
}
std::function<void(orderd_outcome&)> details(std::string value) {
  return text(&orderd_outcome::details_json, std::move(value));
}
std::function<void(orderd_outcome&)> totals(orderd_totals given) {
  return [=](orderd_outcome& o) { o.flags = ORDERD_OUTCOME_HAS_TOTALS, o.totals = given; };
}

const Row table[] = {
    {"as it is", true, [](orderd_outcome&) {}},
    {"a short struct", false, [](orderd_outcome& o) { o.struct_size -= 8; }},
    {"kind 0", false, [](orderd_outcome& o) { o.kind = 0; }},
    {"kind 6", false, [](orderd_outcome& o) { o.kind = 6; }},
    {"an answer to no query", false, [](orderd_outcome& o) { o.query_answer = ORDERD_FOUND; }},
    {"an answer", true, [](orderd_outcome& o) { o.query_answer = ORDERD_FOUND; }, true},
    {"answer 4", false, [](orderd_outcome& o) { o.query_answer = 4; }, true},
    {"retry in the past", false, [](orderd_outcome& o) { o.retry_after_ms = -1; }},
    {"retry in 30 days", true, [](orderd_outcome& o) { o.retry_after_ms = 2592000000; }},
    {"retry later still", false, [](orderd_outcome& o) { o.retry_after_ms = 2592000001; }},
    {"expires in 9999", true, [](orderd_outcome& o) { o.expires_ms = 253402300799999; }},
    {"expires in 10000", false, [](orderd_outcome& o) { o.expires_ms = 253402300800000; }},
    {"expires before 1970", false, [](orderd_outcome& o) { o.expires_ms = -1; }},
    {"a code of 64", true, text(&orderd_outcome::code, long_text(64))},
    {"a code of 65", false, text(&orderd_outcome::code, long_text(65))},
    {"a code in words", true, text(&orderd_outcome::code, "in words")},
    {"a code with NUL", false, text(&orderd_outcome::code, std::string("A\0B", 3))},
    {"a code of two lines", false, text(&orderd_outcome::code, "A\nB")},
    {"a code with a terminal's control", false,
     text(&orderd_outcome::code,
          "A\xc2\x9b"
          "31m")},
    {"a type with a tab", false, text(&orderd_outcome::next_action_type, "a\tb")},
    {"a reference with an escape", false, text(&orderd_outcome::provider_reference, "pi_1\x1b[2J")},
    {"a message of two lines", true, text(&orderd_outcome::message, "one\ntwo")},
    {"a message of 2048", true, text(&orderd_outcome::message, long_text(2048))},
    {"a message of 2049", false, text(&orderd_outcome::message, long_text(2049))},
    {"a message of bytes", false, text(&orderd_outcome::message, "\xff\xfe")},
    {"a message with NUL", false, text(&orderd_outcome::message, std::string("a\0b", 3))},
    {"a message of no data", false,
     [](orderd_outcome& o) {
       o.message = {nullptr, 5};
     }},
    {"a type of 64", true, text(&orderd_outcome::next_action_type, long_text(64))},
    {"a type of 65", false, text(&orderd_outcome::next_action_type, long_text(65))},
    {"https", true, url("https://bank.example/3ds?a=1#b")},
    {"http", true, url("http://127.0.0.1:8080/3ds")},
    {"a script", false, url("javascript:alert(1)")},
    {"a path", false, url("/3ds")},
    {"no host", false, url("https:///3ds")},
    {"no more than a scheme", false, url("https://")},
    {"a space", false, url("https://bank.example/a b")},
    {"a quote", false, url("https://bank.example/\"onload=")},
    {"a single quote", false, url("https://bank.example/'")},
    {"a line's end", false, url("https://bank.example/\n")},
    {"a URL of 2049", false, url("https://" + long_text(2041))},
    {"a reference of 255", true, text(&orderd_outcome::provider_reference, long_text(255))},
    {"a reference of 256", false, text(&orderd_outcome::provider_reference, long_text(256))},
    {"an object", true, details(R"( {"a":[1,-0.5e+3,true,null,{"b":"\u00e9\ud83d\ude00\n"}],"c":{}} )")},
    {"no JSON", false, details("{\"a\":")},
    {"an array", false, details("[1]")},
    {"a number", false, details("7")},
    {"two objects", false, details("{}{}")},
    {"a name twice", false, details(R"({"a":1,"a":2})")},
    {"a comma too many", false, details(R"({"a":1,})")},
    {"a leading zero", false, details(R"({"a":01})")},
    {"half a pair", false, details(R"({"a":"\ud83d"})")},
    {"NUL in JSON", false, details(R"({"a":"\u0000"})")},
    {"31 levels below", true, details("{\"a\":" + std::string(31, '[') + std::string(31, ']') + "}")},
    {"32 levels below", false, details("{\"a\":" + std::string(32, '[') + std::string(32, ']') + "}")},
    {"details of 256 KiB", true, details("{" + std::string(256 * 1024 - 2, ' ') + "}")},
    {"details beyond", false, details("{" + std::string(256 * 1024 - 1, ' ') + "}")},
    {"totals", true, totals({100, 60, 10, 40})},
    {"more captured than authorized", false, totals({100, 101, 0, 0})},
    {"more refunded than captured", false, totals({100, 50, 51, 0})},
    {"more voided than authorized", false, totals({100, 0, 0, 101})},
    {"totals that no sum holds", false, totals({INT64_MAX, 0, 0, 0})},
    {"the most", true, totals({1'000'000'000'000'000'000, 0, 0, 0})},
    {"negative refunds", false, totals({100, 50, -1, 0})}};

TEST_CASE("the host and the checker judge an outcome alike") {
  for (const Row& row : table) {
    orderd_outcome given;
    ORDERD_CLEAR(given);
    given.kind = ORDERD_DONE;
    row.bend(given);
    Outcome outcome;
    std::string problem;
    INFO(row.what);
    CHECK(read_outcome(&given, row.query, outcome, problem) == row.sound);
    CHECK(testing::outcome_problem(&given, row.query).empty() == row.sound);
    CHECK((row.sound || outcome.code == "GARBAGE"));
  }
}

TEST_CASE("a fake host fills in what a schema defaults, as the host does") {
  const auto defaults = testing::JsonObject::defaults(
      R"({"type": "object", "properties": {"most": {"type": "integer", "default": 100},
          "sure": {"type": "boolean", "default": true}, "none": {"type": "string"},
          "name": {"type": "string", "default": "\u00e9\"\ud83d\ude00"}}})");
  CHECK(defaults == std::map<std::string, std::string>{{"most", "100"}, {"sure", "yes"}, {"name", "é\"😀"}});
  testing::FakeHost host(testing::Settings{{"most", "3"}});
  host.fill_in(defaults);
  host.phase = testing::Phase::initialising;
  const auto* settings =
      static_cast<const orderd_settings_v1*>(host.abi()->get_extension(host.abi(), ORDERD_EXT_SETTINGS));
  orderd_view value;
  CHECK(settings->get(host.abi(), "most", &value) == ORDERD_OK);
  CHECK(to_text(value) == "3");
  CHECK(settings->get(host.abi(), "sure", &value) == ORDERD_OK);
  CHECK(to_text(value) == "yes");
}

}  // namespace
}  // namespace orderd::plugins
