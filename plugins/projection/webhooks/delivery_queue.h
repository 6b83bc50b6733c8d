#pragma once
// The deliveries on a PostgreSQL session of the plugin's own: what is due, what came of it, what is to be
// sent again. Owned and used by one thread.
#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "standard.h"

namespace merchant_webhooks {

/// The session is lost, or the server refused a statement.
class BookError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Due {
  std::int64_t id = 0, attempts = 0;  // with the one that now begins
  std::string message_id, body;
};

struct Result {
  std::int64_t id = 0, attempts = 0;
  int status = 0;  // 0: no answer
  std::int64_t elapsed_ms = 0, retry_after_ms = 0;
  std::string error;
  bool delivered() const { return status / 100 == 2; }
};

struct QueueConfig {
  std::string database, endpoint, url, replay;
  std::vector<std::int64_t> schedule_s;
  std::int64_t lease_ms = 0;  // after which what was begun and not ended is due again
  std::int64_t disable_after_s = 0, keep_days = 0;
};

class DeliveryQueue {
 public:
  /// Connects, and does what the settings ask for once: a new URL is a new try, a replay is begun. Throws.
  explicit DeliveryQueue(const QueueConfig& config);

  /// Up to `limit` messages; nobody else gets them until their lease is over. None if the endpoint is
  /// disabled.
  std::vector<Due> begin(int limit);
  enum class Left { nothing, again, given_up, disabled };
  /// Writes the attempt down, and says what is left to do for the message.
  Left end(const Result& result);
  /// How many wait, and whether the endpoint is disabled.
  struct State {
    std::int64_t waiting = 0;
    bool disabled = false;
  };
  State state();
  struct Forgotten {
    std::int64_t undelivered = 0;
    bool more = false;  // there is as much again
  };
  /// Forgets what is older than keep_days, delivered or not, a piece at a time; what was of endpoints that no
  /// host has had for so long, too.
  Forgotten prune();
  /// How many messages the replay of the settings took up when this session began.
  std::int64_t replayed() const { return replayed_; }

 private:
  struct Closer {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  struct Clearer {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  using Rows = std::unique_ptr<PGresult, Clearer>;

  Rows run(const char* sql, const std::vector<std::string>& values = {});
  Rows answer();
  void settle_replay();
  bool disable(const std::string& reason, bool at_once);

  const QueueConfig& config_;
  std::unique_ptr<PGconn, Closer> connection_;
  std::int64_t replayed_ = 0;
};

}  // namespace merchant_webhooks
