#pragma once
// Dead letters as operators see them, and their replay: the saga's go through `saga_inbox`, the relay and the
// projections look at the table themselves once a second. [the connection's thread]
#include <optional>
#include <string>
#include <vector>

#include "auth/audit.h"
#include "base/clock.h"
#include "model/event.h"
#include "store/connection.h"

namespace orderd::admin {

inline constexpr std::size_t letters_per_replay_max = 1000;
inline constexpr std::int64_t letters_per_second_max = 1000, letters_per_second_default = 10;

struct Letter {
  std::int64_t id = 0, pos = 0;
  std::string consumer, reason;
  std::int16_t shard = 0;
  Time at{};
  std::optional<Time> replay;         // asked for, from then on
  std::optional<Event> event;         // none: it is no event of ours
  std::string headers_json, payload;  // as they came; only of one letter by itself
  bool replayable() const { return event.has_value(); }
};
std::string letter_json(const Letter& letter, bool whole);

struct LetterFilter {
  std::optional<std::string> consumer;
  std::optional<Uuid> order_id;
  std::int64_t after = 0;  // id
};
/// Oldest first, one more than `limit` if there are more.
std::vector<Letter> letters(store::Connection& connection, const LetterFilter& filter, int limit);
std::optional<Letter> letter(store::Connection& connection, std::int64_t id);

struct ReplayWish {
  std::vector<std::int64_t> ids;        // or …
  std::optional<std::string> consumer;  // … all of this one's, up to letters_per_replay_max
  std::int64_t per_second = letters_per_second_default;
  std::string actor, reason, actor_data = "{}";
};
struct Replayed {
  std::vector<std::int64_t> accepted;
  std::vector<std::pair<std::int64_t, std::string>> refused;
  bool more = false;  // of the consumer's
  Time until{};       // when the last one's turn is
};
Replayed replay(store::Connection& connection, const ReplayWish& wish);

/// Deletes records that are no event of ours; an order's letters are only replayed. Of `ids`, or of all of
/// `consumer`, up to foreign_per_deletion_max. Audited.
struct Deleted {
  std::int64_t count = 0;
  bool more = false;
};
inline constexpr std::int64_t foreign_per_deletion_max = 10'000;
Deleted delete_foreign(store::Connection& connection, const ReplayWish& wish);

}  // namespace orderd::admin
