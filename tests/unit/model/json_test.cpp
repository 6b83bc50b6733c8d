#include "model/json.h"

#include <catch2/catch.hpp>

using namespace orderd;

namespace {

json::Problem problem_of(std::string_view text, std::size_t depth_max = 4) {
  json::Document document;
  json::Problem problem;
  INFO(text);
  CHECK_FALSE(json::parse_strict(text, depth_max, document, problem));
  CHECK_FALSE(problem.message.empty());
  return problem;
}

}  // namespace

TEST_CASE("Strict parsing refuses what readers could understand differently, and says where") {
  CHECK(problem_of(R"({"a":1,"a":2})").pointer == "/a");
  CHECK(problem_of(R"({"x":[{},{"a/b":1,"c":2,"a/b":3}]})").pointer == "/x/1/a~1b");
  CHECK(problem_of(R"({"a":"x\u0000y"})").pointer == "/a");
  CHECK(problem_of(R"({"a":"x\udc00y"})").pointer == "/a");
  CHECK(problem_of(R"({"a":{"\uDFFF":1}})").message.find("surrogate") != std::string::npos);
  CHECK(problem_of(R"({"a":[[[[1]]]]})").pointer == "/a/0/0/0");
  for (const char* text :
       {"", "{", "{} {}", "[1,]", "{'a':1}", "NaN", "01", "1.", "\"\xff\"", "\"\\ud800\"", "/**/1", "1e999"})
    problem_of(text);
  CHECK(problem_of(std::string_view("{}\0", 3)).message.find("NUL") != std::string::npos);
}

TEST_CASE("A surrogate pair is one character, and what is no UTF-8 is never written") {
  json::Document document;
  json::Problem problem;
  REQUIRE(json::parse_strict(R"(["\ud83d\ude00"])", 1, document, problem));
  CHECK(std::string(document[0].GetString()) == "\xf0\x9f\x98\x80");
  std::string out;
  json::append_string(out, "\xf0\x9f\x98\x80 \xed\xb0\x80 \xff\xc3");
  CHECK(out == "\"\xf0\x9f\x98\x80 \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST_CASE("The same name in different objects is no repetition, however many names there are") {
  std::string text = R"({"a":{"a":1},"b":[{"a":1},{"a":2}],"many":{)";
  for (int i = 0; i < 30'000; ++i) text += (i ? ",\"k" : "\"k") + std::to_string(i) + "\":1";
  text += "}}";
  json::Document document;
  json::Problem problem;
  REQUIRE(json::parse_strict(text, 4, document, problem));
  CHECK(document["many"].MemberCount() == 30'000);
}
