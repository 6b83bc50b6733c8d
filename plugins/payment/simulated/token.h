#pragma once
// What a payment token makes the simulated provider do. Pure.
#include <cstdint>
#include <string>
#include <string_view>

namespace simulated {

enum class Behaviour {
  ok,
  declined,
  insufficient_funds,
  slow,            // number: ms until the answer
  flaky,           // number: authorizations that fail first, without effect
  timeout,         // authorized, and the answer never comes
  crash,           // the process ends
  three_ds,        // waits for the buyer
  capture_fails,   // capture is declined
  refund_fails,    // number: refunds that fail first, without effect
  refund_pending,  // a refund waits until it is asked for
  invalid,
};

constexpr std::int64_t slow_ms_max = 60'000;
constexpr std::int64_t failures_max = 1'000;

struct Token {
  Behaviour behaviour = Behaviour::invalid;
  std::int64_t number = 0;
};

Token parse_token(std::string_view token);

/// The member "token" of what the host sends along with an authorization; "" if there is none.
std::string token_of(std::string_view secret_json);

}  // namespace simulated
