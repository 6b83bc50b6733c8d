#pragma once
// A bounded set of sessions for the short reads and writes of the web's worker threads.
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "store/unit_of_work.h"

namespace orderd::store {

/// Sessions are opened when needed, up to `connections_max`, and kept. A broken one is destroyed, never
/// repaired, and one that takes no writes is not kept for long. While PostgreSQL does not answer, one caller
/// at a time tries it, and only a few a second; all others are refused at once, so that they hold no thread.
/// [any thread]
class Pool {
 public:
  Pool(ConnectionOptions options, std::size_t connections_max)
      : options_(std::move(options)), connections_max_(connections_max) {}

  class Lease {
   public:
    Lease(Pool& pool, std::unique_ptr<Connection> connection)
        : pool_(&pool), connection_(std::move(connection)) {}
    Lease(Lease&&) = default;
    ~Lease() {
      if (connection_) pool_->give_back(std::move(connection_));
    }
    Connection& operator*() { return *connection_; }
    Connection* operator->() { return connection_.get(); }

   private:
    Pool* pool_;
    std::unique_ptr<Connection> connection_;
  };

  /// Throws DbError: no session free within `timeout`, or PostgreSQL cannot be reached.
  Lease acquire(std::chrono::milliseconds timeout = std::chrono::milliseconds(2000));
  /// Somebody has had an answer from PostgreSQL: callers need not be refused any more.
  void answered();
  const ConnectionOptions& options() const { return options_; }

 private:
  friend class Lease;
  std::unique_ptr<Connection> take_idle(std::chrono::milliseconds timeout);
  void fell_silent(const std::string& why);
  void give_back(std::unique_ptr<Connection> connection);
  const ConnectionOptions options_;
  const std::size_t connections_max_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<Connection>> idle_;      // guarded by mutex_
  std::size_t open_ = 0;                               // guarded by mutex_
  std::string away_;                                   // why PostgreSQL is not asked now; guarded by mutex_
  bool trying_ = false;                                // somebody is finding out; guarded by mutex_
  std::chrono::steady_clock::time_point try_again_{};  // guarded by mutex_
};

}  // namespace orderd::store
