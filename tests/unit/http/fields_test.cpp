#include "http/fields.h"

#include <catch2/catch.hpp>

#include "base/uuid.h"

using namespace orderd;
using namespace orderd::http;

TEST_CASE("Accept admits by its closest range") {
  for (const char* field : {"", "*/*", "application/json", "APPLICATION/JSON", "application/*",
                            "text/html,application/json;q=0.5", "*/*;q=0, application/json",
                            "application/json;charset=utf-8", " text/html , */*;q=0.1 "}) {
    INFO(field);
    CHECK(accepts(field, "application/json"));
  }
  for (const char* field : {"text/html", "application/json;q=0", "application/json;q=0.000, */*",
                            "application/*;q=0,text/*", "application/jsonx", "json", ","}) {
    INFO(field);
    CHECK_FALSE(accepts(field, "application/json"));
  }
}

TEST_CASE("Only plain JSON in UTF-8 is a JSON body") {
  for (const char* field : {"application/json", "Application/Json; Charset=UTF-8",
                            "application/json;charset=\"utf-8\"", "application/json; version=1"})
    CHECK(is_json_type(field));
  for (const char* field :
       {"", "text/json", "application/problem+json", "application/json; charset=utf-16", "json"})
    CHECK_FALSE(is_json_type(field));
}

TEST_CASE("Entity tags are read as RFC 9110 writes them") {
  const auto tags = parse_entity_tags(R"( "1", W/"2" ,"a,b" )");
  REQUIRE(tags);
  REQUIRE(tags->tags.size() == 3);
  CHECK(tags->tags[1].weak);
  CHECK(tags->tags[2].value == "a,b");
  CHECK(tags->matches_weakly("2"));
  CHECK_FALSE(tags->matches_weakly("3"));
  CHECK(versions_in(*tags) == std::vector<std::int32_t>{1});
  CHECK(parse_entity_tags("*")->matches_weakly("anything"));
  for (const char* bad : {"", "1", "\"1", "\"1\" \"2\"", "w/\"1\"", "\"1\";"}) {
    INFO(bad);
    CHECK_FALSE(parse_entity_tags(bad));
  }
  CHECK(versions_in(*parse_entity_tags("\"99999999999\", \"-1x\", \"\"")).empty());
}

TEST_CASE("A sane request id and a valid traceparent are the client's, others are made anew") {
  CHECK(request_id("a.B_9-") == "a.B_9-");
  for (const std::string& bad :
       {std::string(), std::string(129, 'a'), std::string("a b"), std::string("a\r\nb")})
    CHECK(Uuid::parse(request_id(bad)));
  const std::string good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
  CHECK(traceparent(good) == good);
  for (const char* bad : {"", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
                          "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                          "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"}) {
    const std::string made = traceparent(bad);
    CHECK(made != bad);
    CHECK(traceparent(made) == made);
  }
}
