#pragma once
// What happened to a saga, for people: kept in its state, and in the journal when it is over. Pure values.
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/step.h"

namespace orderd::saga {

/// One line of a saga's timeline: a call as it ended, a provider's notice, or an operator's verb.
struct Attempt {
  std::uint32_t sequence = 0, generation = 0;
  bool query = false;
  std::string action;
  OutcomeKind outcome = OutcomeKind::unknown;
  QueryAnswer answer = QueryAnswer::none;
  std::string code;
  Time at{};                 // when it ended
  std::int64_t took_ms = 0;  // from its last send
  std::string by;            // "" the call itself; "webhook evt_1", "operator alice: reason"
  std::string digest;        // of the library that ran it: its first 12 hex digits
  std::string message{};     // the provider's own words, if it was no success

  bool operator==(const Attempt&) const = default;
};
inline constexpr std::size_t attempts_kept_max = 64;  // a timeline's; the oldest but the first 8 go first

inline constexpr std::size_t message_bytes_max = 240;  // of a line; what is longer is cut

/// Adds a line, within the limits.
void note(std::vector<Attempt>& timeline, Attempt attempt);

}  // namespace orderd::saga
