#include "store/pool.h"

namespace orderd::store {

Pool::Lease Pool::acquire(std::chrono::milliseconds timeout) {
  {
    std::unique_lock lock(mutex_);
    if (!freed_.wait_for(lock, timeout, [&] { return !idle_.empty() || open_ < connections_max_; }))
      throw DbError("all " + std::to_string(connections_max_) + " database connections are busy", "", false);
    while (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      if (connection->alive() && !connection->outdated()) return Lease(*this, std::move(connection));
      --open_;
    }
    ++open_;  // reserved; connecting happens outside the lock
  }
  try {
    return Lease(*this, std::make_unique<Connection>(options_));
  } catch (...) {
    {
      std::lock_guard lock(mutex_);
      --open_;
    }
    freed_.notify_one();
    throw;
  }
}

void Pool::give_back(std::unique_ptr<Connection> connection) {
  const bool keep = connection->usable() && connection->transaction_status() == PQTRANS_IDLE;
  {
    std::lock_guard lock(mutex_);
    if (keep)
      idle_.push_back(std::move(connection));
    else
      --open_;
  }
  freed_.notify_one();
}

}  // namespace orderd::store
