#include "store/pool.h"

namespace orderd::store {

namespace {

constexpr std::chrono::milliseconds try_interval{200};

}  // namespace

Pool::Lease Pool::acquire(std::chrono::milliseconds timeout) {
  if (auto connection = take_idle(timeout)) return Lease(*this, std::move(connection));
  try {
    auto connection = std::make_unique<Connection>(options_);
    std::lock_guard lock(mutex_);
    away_.clear();
    trying_ = false;
    return Lease(*this, std::move(connection));
  } catch (const std::exception& error) {
    {
      std::lock_guard lock(mutex_);
      --open_;
      fell_silent(error.what());
    }
    freed_.notify_one();
    throw;
  }
}

std::unique_ptr<Connection> Pool::take_idle(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  if (!freed_.wait_for(lock, timeout, [&] { return !idle_.empty() || open_ < connections_max_; }))
    throw DbError("all " + std::to_string(connections_max_) + " database connections are busy", "", false);
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    if (connection->alive() && !connection->outdated()) return connection;
    --open_;
  }
  if (!away_.empty()) {
    if (trying_ || std::chrono::steady_clock::now() < try_again_) throw DbError(away_, "", true);
    trying_ = true;
  }
  ++open_;  // reserved; connecting happens outside the lock
  return nullptr;
}

void Pool::answered() {
  std::lock_guard lock(mutex_);
  away_.clear();
}

void Pool::fell_silent(const std::string& why) {
  away_ = why;
  trying_ = false;
  try_again_ = std::chrono::steady_clock::now() + try_interval;
}

void Pool::give_back(std::unique_ptr<Connection> connection) {
  const bool keep = connection->usable() && connection->transaction_status() == PQTRANS_IDLE;
  std::vector<std::unique_ptr<Connection>> doubtful;  // ended outside the lock
  {
    std::lock_guard lock(mutex_);
    if (connection->timed_out()) {
      // What still idles here would only hold up others for as long.
      fell_silent("PostgreSQL does not answer");
      open_ -= idle_.size();
      doubtful.swap(idle_);
    }
    if (keep)
      idle_.push_back(std::move(connection));
    else
      --open_;
  }
  freed_.notify_all();
}

}  // namespace orderd::store
