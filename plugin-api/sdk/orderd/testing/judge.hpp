// What the host would say of an outcome: the rules of outcome.h, for fakes and for the checker.
#ifndef ORDERD_TESTING_JUDGE_HPP
#define ORDERD_TESTING_JUDGE_HPP

#include <orderd/outcome.h>

#include <string>

#include <orderd/barrier.hpp>
#include <orderd/outcome.hpp>

namespace orderd::testing {

/// RFC 3629, without NUL.
inline bool is_text(std::string_view s) {
  for (std::size_t i = 0; i < s.size();) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(s[at]); };
    const unsigned char first = byte(i);
    const std::size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first == 0 || first > 0xf4 || length == 0 || i + length > s.size()) return false;
    for (std::size_t more = 1; more < length; ++more)
      if ((byte(i + more) & 0xc0) != 0x80) return false;
    if (first == 0xe0 && byte(i + 1) < 0xa0) return false;
    if (first == 0xed && byte(i + 1) > 0x9f) return false;
    if (first == 0xf0 && byte(i + 1) < 0x90) return false;
    if (first == 0xf4 && byte(i + 1) > 0x8f) return false;
    i += length;
  }
  return true;
}

inline std::string totals_problem(const orderd_totals& t) {
  if (t.refunded >= 0 && t.refunded <= t.captured && t.captured <= t.authorized && t.voided >= 0 &&
      t.voided <= t.authorized)
    return "";
  return "totals are impossible: authorized " + std::to_string(t.authorized) + ", captured " +
         std::to_string(t.captured) + ", refunded " + std::to_string(t.refunded) + ", voided " +
         std::to_string(t.voided);
}

/// "" or what is wrong with it.
inline std::string outcome_problem(const orderd_outcome* given, bool query) {
  if (!given) return "the outcome is NULL";
  if (given->struct_size < sizeof(orderd_outcome))
    return "struct_size is " + std::to_string(given->struct_size) + ": use ORDERD_CLEAR";
  if (given->kind < ORDERD_DONE || given->kind > ORDERD_UNKNOWN)
    return "kind is " + std::to_string(given->kind);
  if (given->query_answer < 0 || given->query_answer > ORDERD_NOT_FOUND_YET)
    return "query_answer is " + std::to_string(given->query_answer);
  if (!query && given->query_answer != 0) return "query_answer is set and the command was no query";
  if (given->retry_after_ms < 0 || given->expires_ms < 0) return "a time is negative";
  const orderd_view texts[] = {given->code,
                               given->message,
                               given->next_action_type,
                               given->next_action_url,
                               given->provider_reference,
                               given->details_json};
  for (const orderd_view& one : texts)
    if ((one.size > 0 && !one.data) || !is_text(sdk::text(one))) return "a text is not UTF-8";
  if (given->code.size > 64) return "code is longer than 64 bytes";
  if (given->message.size > 2048 || given->next_action_url.size > 2048)
    return "a text is longer than 2048 bytes";
  if (given->provider_reference.size > 255) return "provider_reference is longer than 255 bytes";
  if (given->details_json.size > 256 * 1024) return "details_json is larger than 256 KiB";
  if ((given->flags & ORDERD_OUTCOME_HAS_STATE) != 0 && given->state.size > 16 * 1024)
    return "state is larger than 16 KiB";
  return (given->flags & ORDERD_OUTCOME_HAS_TOTALS) != 0 ? totals_problem(given->totals) : "";
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
