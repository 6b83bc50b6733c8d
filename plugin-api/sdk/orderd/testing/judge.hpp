// What the host would say of an outcome: the rules of outcome.h, for fakes and for the checker.
#ifndef ORDERD_TESTING_JUDGE_HPP
#define ORDERD_TESTING_JUDGE_HPP

#include <orderd/outcome.h>

#include <string>

#include <orderd/barrier.hpp>
#include <orderd/outcome.hpp>

#include "json.hpp"
#include "text.hpp"

namespace orderd::testing {

inline std::string totals_problem(const orderd_totals& t) {
  constexpr std::int64_t amount_max = 1'000'000'000'000'000'000;
  if (t.refunded >= 0 && t.refunded <= t.captured && t.captured <= t.authorized && t.voided >= 0 &&
      t.voided <= t.authorized && t.authorized <= amount_max)
    return "";
  return "totals are impossible: authorized " + std::to_string(t.authorized) + ", captured " +
         std::to_string(t.captured) + ", refunded " + std::to_string(t.refunded) + ", voided " +
         std::to_string(t.voided);
}

inline std::string text_problem(const char* field, orderd_view given, std::size_t bytes_max) {
  if (given.size > 0 && !given.data) return std::string(field) + " has a size and no data";
  if (given.size > bytes_max)
    return std::string(field) + " is longer than " + std::to_string(bytes_max) + " bytes";
  return is_text(sdk::text(given)) ? "" : std::string(field) + " is not UTF-8 text";
}

/// The same of a text that has no line's end or other control character.
inline std::string line_problem(const char* field, orderd_view given, std::size_t bytes_max) {
  if (auto problem = text_problem(field, given, bytes_max); !problem.empty()) return problem;
  const std::string_view text = sdk::text(given);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool c1 = byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (byte < 0x20 || byte == 0x7f || c1) return std::string(field) + " has control characters";
  }
  return "";
}

inline std::string numbers_problem(const orderd_outcome& given, bool query) {
  constexpr std::int64_t retry_max_ms = std::int64_t{30} * 24 * 3600 * 1000;
  constexpr std::int64_t unix_ms_max = 253402300799999;  // the end of the year 9999
  if (given.kind < ORDERD_DONE || given.kind > ORDERD_UNKNOWN) return "kind is " + std::to_string(given.kind);
  if (given.query_answer < 0 || given.query_answer > ORDERD_NOT_FOUND_YET)
    return "query_answer is " + std::to_string(given.query_answer);
  if (!query && given.query_answer != 0) return "query_answer is set and the command was no query";
  if (given.retry_after_ms < 0 || given.retry_after_ms > retry_max_ms)
    return "retry_after_ms is " + std::to_string(given.retry_after_ms);
  if (given.expires_ms < 0 || given.expires_ms > unix_ms_max)
    return "expires_ms is " + std::to_string(given.expires_ms);
  return (given.flags & ORDERD_OUTCOME_HAS_TOTALS) != 0 ? totals_problem(given.totals) : "";
}

/// "" or why the host takes it as UNKNOWN.
inline std::string outcome_problem(const orderd_outcome* given, bool query) {
  if (!given) return "the outcome is NULL";
  if (given->struct_size < sizeof(orderd_outcome))
    return "struct_size is " + std::to_string(given->struct_size) + ": use ORDERD_CLEAR";
  if (auto problem = numbers_problem(*given, query); !problem.empty()) return problem;
  const std::string texts[] = {line_problem("code", given->code, 64),
                               text_problem("message", given->message, 2048),
                               line_problem("next_action_type", given->next_action_type, 64),
                               line_problem("next_action_url", given->next_action_url, 2048),
                               line_problem("provider_reference", given->provider_reference, 255),
                               text_problem("details_json", given->details_json, 256 * 1024)};
  for (const std::string& problem : texts)
    if (!problem.empty()) return problem;
  if (given->next_action_url.size > 0 && !is_web_url(sdk::text(given->next_action_url)))
    return "next_action_url is no absolute https URL";
  if (given->details_json.size > 0 && !JsonObject::is(sdk::text(given->details_json)))
    return "details_json is no JSON object";
  const bool state = (given->flags & ORDERD_OUTCOME_HAS_STATE) != 0;
  if (state && (given->state.size > 16 * 1024 || (given->state.size > 0 && !given->state.data)))
    return "state has " + std::to_string(given->state.size) + " bytes";
  return "";
}

/// "" or what outcome.h asks for and the host does not insist on.
inline std::string outcome_slip(const orderd_outcome& given) {
  const std::string_view code = sdk::text(given.code);
  for (const char c : code)
    if (!(c >= 'A' && c <= 'Z') && (code.data() == &c || (!(c >= '0' && c <= '9') && c != '_')))
      return "its code is not SCREAMING_SNAKE: " + std::string(code);
  if (given.kind == ORDERD_PENDING && given.query_answer == 0 && given.expires_ms == 0)
    return "it says PENDING without expires_ms: the host cannot know when to give up";
  return "";
}

/// A copy that owns its texts.
inline sdk::Outcome copy_of(const orderd_outcome& given) {
  sdk::Outcome own;
  own.kind = given.kind;
  own.query_answer = given.query_answer;
  own.soft = (given.flags & ORDERD_OUTCOME_SOFT) != 0;
  own.code = sdk::text(given.code);
  own.message = sdk::text(given.message);
  own.retry_after_ms = given.retry_after_ms;
  own.expires_ms = given.expires_ms;
  own.next_action_type = sdk::text(given.next_action_type);
  own.next_action_url = sdk::text(given.next_action_url);
  if ((given.flags & ORDERD_OUTCOME_HAS_TOTALS) != 0) own.totals = given.totals;
  own.provider_reference = sdk::text(given.provider_reference);
  if ((given.flags & ORDERD_OUTCOME_HAS_STATE) != 0)
    own.state = sdk::State{given.state_version, std::string(sdk::text(given.state))};
  own.details_json = sdk::text(given.details_json);
  return own;
}

}  // namespace orderd::testing
#endif
