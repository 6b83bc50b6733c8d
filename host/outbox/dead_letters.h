#pragma once
// The table `parked`: events and records that a consumer could not take. Such an order waits from that
// version on, everybody else goes on. What a letter holds stays until it is taken up again.
#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "outbox/dead_letter.h"
#include "store/unit_of_work.h"

namespace orderd::outbox {

/// How many records that are no event of ours are kept for a consumer; more are only counted
/// (orderd_foreign_records_total): whoever writes into the topic must not fill the database.
inline constexpr std::int64_t foreign_kept_max = 10'000;

/// Shows in orderd_dead_letters{consumer}, every ten seconds, how many there are.
class LetterCount {
 public:
  void count(store::Connection& connection, const std::string& consumer);

 private:
  std::chrono::steady_clock::time_point again_{};
};
/// Queues the rows; one that is there already stays as it is.
void park(store::UnitOfWork& work, const std::string& consumer, const std::vector<DeadLetter>& letters);

/// An order whose letters of one consumer are to be taken up again, all of them: later ones wait for the
/// first.
struct Replay {
  Uuid order_id;
  std::int16_t shard = 0;
  std::int32_t from_version = 0, to_version = 0;
};
/// Those whose time has come, for these shards.
std::vector<Replay> replays(store::Connection& connection, const std::string& consumer,
                            const std::set<std::int16_t>& shards);
/// Queues `attention` for orders that have letters of this consumer and show none: they are not to be
/// forgotten, though others go on with them. Up to 1000 at once.
void mark_attention(store::UnitOfWork& work, const std::string& consumer);
/// Takes it back from an order that has no letter any more, behind unpark().
void unmark_attention(store::UnitOfWork& work, const Uuid& order_id);
/// Queues the deletion of an order's letters, in the transaction that took them up.
void unpark(store::UnitOfWork& work, const std::string& consumer, const Uuid& order_id);
/// Queues what became of a replay that failed: it waits for a person again.
void replay_failed(store::UnitOfWork& work, const std::string& consumer, const Uuid& order_id,
                   const std::string& reason);

}  // namespace orderd::outbox
