#include "token.h"

#include <rapidjson/document.h>

#include <charconv>

namespace simulated {
namespace {

struct Named {
  std::string_view name;
  Behaviour behaviour;
  std::int64_t number_max;  // 0: the name is all of it; else a number from 0 to this follows
};

constexpr Named tokens[] = {
    {"tok_ok", Behaviour::ok, 0},
    {"tok_declined", Behaviour::declined, 0},
    {"tok_insufficient_funds", Behaviour::insufficient_funds, 0},
    {"tok_slow_", Behaviour::slow, slow_ms_max},
    {"tok_flaky_", Behaviour::flaky, failures_max},
    {"tok_timeout", Behaviour::timeout, 0},
    {"tok_crash", Behaviour::crash, 0},
    {"tok_3ds", Behaviour::three_ds, 0},
    {"tok_capture_fails", Behaviour::capture_fails, 0},
    {"tok_refund_fails_", Behaviour::refund_fails, failures_max},
    {"tok_refund_pending", Behaviour::refund_pending, 0},
};

}  // namespace

Token parse_token(std::string_view token) {
  for (const Named& known : tokens) {
    if (known.number_max == 0) {
      if (token == known.name) return {known.behaviour, 0};
      continue;
    }
    if (token.substr(0, known.name.size()) != known.name) continue;
    const std::string_view digits = token.substr(known.name.size());
    const char* end = digits.data() + digits.size();
    std::int64_t number = 0;
    const auto [stop, error] = std::from_chars(digits.data(), end, number);
    if (error != std::errc() || stop != end || number < 0 || number > known.number_max) return {};
    return {known.behaviour, number};
  }
  return {};
}

std::string token_of(std::string_view secret_json) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(secret_json.data() ? secret_json.data() : "",
                                                 secret_json.size());
  if (document.HasParseError() || !document.IsObject()) return "";
  const auto token = document.FindMember("token");
  if (token == document.MemberEnd() || !token->value.IsString()) return "";
  return {token->value.GetString(), token->value.GetStringLength()};
}

}  // namespace simulated
