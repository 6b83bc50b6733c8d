#include "http/problem.h"

#include <catch2/catch.hpp>
#include <set>

#include "model/json.h"

using namespace orderd;
using namespace orderd::http;

TEST_CASE("Every error has a status, a code of its own and a sentence; 503 and 429 alone are retryable") {
  std::set<std::string_view> codes;
  for (int i = 0; i <= static_cast<int>(Error::internal); ++i) {
    const ErrorFace face = error_info(static_cast<Error>(i));
    INFO(face.code);
    CHECK(codes.insert(face.code).second);
    CHECK(face.code.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == face.code.npos);
    CHECK(face.status >= 400);
    CHECK(face.retryable == (face.status == 503 || face.status == 429));
    CHECK(face.detail.back() != ' ');
    CHECK_FALSE(face.detail.empty());
  }
}

TEST_CASE("A problem is a document of RFC 9457 with what clients need to decide") {
  const Problem problem{Error::invalid_request, "", {{"/items/0/quantity", "must be \"1\" or more"}}, {}};
  json::Document document;
  REQUIRE(json::parse(problem_json(problem, {"req-1", "/api/orders"}), document));
  CHECK(json::string(document, "type") == "about:blank");
  CHECK(json::string(document, "title") == "Bad Request");
  CHECK(json::integer(document, "status") == 400);
  CHECK(json::string(document, "code") == "INVALID_REQUEST");
  CHECK(json::string(document, "instance") == "/api/orders");
  CHECK(json::string(document, "requestId") == "req-1");
  CHECK(document["retryable"].IsFalse());
  CHECK(json::string(document["errors"][0], "pointer") == "/items/0/quantity");
}

TEST_CASE("Only 503 says when to come back, within 1 to 5 seconds and not always the same") {
  const auto retry_after = [](Error error) -> std::string {
    for (const auto& [name, value] : problem_fields({error, {}, {}, {}}))
      if (name == "Retry-After") return value;
    return "";
  };
  CHECK(retry_after(Error::not_found).empty());
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i) seen.insert(retry_after(Error::overloaded));
  CHECK(seen == std::set<std::string>{"1", "2", "3", "4", "5"});
}
