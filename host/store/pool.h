#pragma once
// A bounded set of sessions for the short reads and writes of the web's worker threads.
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "store/connection.h"

namespace orderd::store {

/// Sessions are opened when needed, up to `connections_max`, and kept. A broken one is destroyed, never
/// repaired, and one that takes no writes is not kept for long. [any thread]
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
  const ConnectionOptions& options() const { return options_; }

 private:
  friend class Lease;
  void give_back(std::unique_ptr<Connection> connection);
  const ConnectionOptions options_;
  const std::size_t connections_max_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<Connection>> idle_;  // guarded by mutex_
  std::size_t open_ = 0;                           // guarded by mutex_
};

}  // namespace orderd::store
