#pragma once
// The life of a consumer of the log: a session that is opened again when it breaks, leases that are renewed
// once a second and given back at the end, and beginning again behind the saved positions whatever was lost.
#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "outbox/dead_letters.h"
#include "outbox/leases.h"
#include "store/connection.h"

namespace orderd::outbox {

struct ConsumerOptions {
  std::string part;  // in the log: "relay"
  store::ConnectionOptions database{};
  LeaseOptions leases{};
};

/// Base of those who read the log shard by shard. One thread runs it.
class Consumer {
 public:
  virtual ~Consumer() = default;
  Consumer(const Consumer&) = delete;
  /// Until asked to stop. Begins again after every error; ends with the leases given back.
  void run(std::stop_token stop);
  /// One round; waits up to `wait` for something to do. False while there is no database.
  bool turn(std::chrono::milliseconds wait);

 protected:
  explicit Consumer(ConsumerOptions options);
  store::Connection& session() { return *session_; }
  const std::string& name() const { return leases_.consumer(); }

  // What is different of each. All but wake() run on the consumer's thread and may throw DbError, which ends
  // the session.
  /// Once a second, with the leases renewed.
  virtual void maintain(const Leases::Change& change) = 0;
  /// One round of work.
  virtual void work(std::chrono::milliseconds wait) = 0;
  /// Nothing is owned any more, and what was not committed did not happen. `was_held`: the shards.
  virtual void forget(const std::vector<std::int16_t>& was_held) = 0;
  /// Waits while there is no database, at most so long.
  virtual void rest(std::chrono::milliseconds wait) = 0;
  /// Ends work()'s and rest()'s waiting. [any thread]
  virtual void wake() = 0;
  /// Asked to stop, before the leases are given back.
  virtual void finish() {}

  static constexpr std::chrono::milliseconds maintain_every{1000};
  /// How long run() lets one round wait.
  virtual std::chrono::milliseconds pace() const { return maintain_every; }
  Leases leases_;

 private:
  void begin_again(const std::string& why);
  const ConsumerOptions options_;
  std::unique_ptr<store::Connection> session_;
  std::chrono::steady_clock::time_point maintained_{};
  LetterCount letters_;
  bool away_ = false;
};

}  // namespace orderd::outbox
