#pragma once
// The merchant's stock service (README.md has its contract): what our commands ask of it, and what its
// answers mean. Pure.
#include <orderd/command.hpp>
#include <orderd/outcome.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace inventory_http {

struct Request {
  std::string method = "POST", path, body{};
};

/// What came back.
struct Answer {
  std::int32_t status = 0;
  std::string_view body;
  std::int64_t retry_after_ms = 0;
};

/// "" or what is wrong with the command: the service is not asked then.
std::string problem_of(const orderd::sdk::Command& command);
/// The request of a command that has no problem.
Request request_of(const orderd::sdk::Command& command);
/// The outcome of an answered request.
orderd::sdk::Outcome outcome_of(const orderd::sdk::Command& command, const Answer& answer);
/// Whether it is the operator who has to do something: a wrong token, a wrong address.
bool is_operators(const orderd::sdk::Outcome& outcome);

}  // namespace inventory_http
