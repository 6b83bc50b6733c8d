#pragma once
#include <atomic>
#include <cstdint>
#include <stop_token>

#include "base/worker.h"
#include "store/pool.h"

namespace orderd::outbox {

/// Carries appended() between hosts: a NOTIFY outside any order's transaction, a few a second at most, and a
/// LISTEN that raises the signal here. A hint: readers poll regardless, so losing one costs milliseconds.
/// Does nothing behind a transaction-mode pool, which has no LISTEN. Owns two threads, from construction to
/// destruction, and one session, the listening one.
class WakeUp {
 public:
  /// `pool` outlives it.
  explicit WakeUp(store::Pool& pool);

 private:
  void notify(std::stop_token stop, store::Pool& pool);
  void listen(std::stop_token stop, const store::ConnectionOptions& options);
  std::atomic<std::uint64_t> heard_{0};  // raises that came from others: not told again
  Worker listener_, notifier_;
};

}  // namespace orderd::outbox
