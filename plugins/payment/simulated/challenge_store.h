#pragma once
// What the bank asks a buyer (3-D Secure): the question as its page shows it, the answer, and the event
// that the shop is to get. On a session of its own beside the command processor's; used from any thread.
//
//   calls.approved   the answer; the next query of that command settles it
//   events           answers that the shop has not confirmed to have heard; a delivered one is removed
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "pg_session.h"

namespace simulated {

struct Challenge {
  enum class State { open, approved, refused, expired, closed };
  State state = State::open;
  std::int64_t amount = 0;
  std::string currency;
};

struct ChallengeResult {
  std::int64_t id = 0, at_ms = 0;
  std::string payment_id, key;
  bool approved = false;
};

class ChallengeStore {
 public:
  ChallengeStore(std::string url, std::string schema, std::string application_name);
  /// nullopt: the buyer of this payment is asked nothing. Throws PgSessionError.
  std::optional<Challenge> find(const std::string& payment_id, std::int64_t now_ms);
  /// False: there is nothing open to answer. Answer and event are one transaction. Throws PgSessionError.
  bool answer(const std::string& payment_id, bool approved, std::int64_t now_ms);
  /// Oldest first. Throws PgSessionError.
  std::vector<ChallengeResult> undelivered(std::int64_t count);
  void delivered(std::int64_t id);

 private:
  std::vector<Rows> run(Trip trip);

  const std::string url_, schema_, application_name_;
  std::mutex mutex_;
  std::unique_ptr<PgSession> session_;  // guarded by mutex_; nullptr while there is no session
};

}  // namespace simulated
