#pragma once
// Token buckets, one per key or address, in memory that does not grow with the number of clients.
#include <chrono>
#include <mutex>
#include <string>
#include <unordered_map>

namespace orderd::auth {

struct Rate {
  unsigned per_second = 0;  // 0: no limit
  unsigned burst = 0;       // what may come at once after a rest; at least per_second
};

/// [any thread]
class RateLimiter {
 public:
  using Clock = std::chrono::steady_clock;

  explicit RateLimiter(Rate rate, std::size_t buckets_max = 20'000);

  struct Grant {
    bool granted = true;
    unsigned quota = 0;    // what may come at once after a rest; 0: there is no limit
    int window_s = 0;      // how long an empty bucket takes to fill
    unsigned left = 0;     // requests that may follow at once
    int wait_s = 0;        // refused: after that long one is granted
    int full_after_s = 0;  // when all of the burst is back
  };
  /// Takes one from `who`'s bucket. Clients beyond buckets_max share one bucket until others have rested.
  Grant take(const std::string& who, Clock::time_point now = Clock::now());
  /// From now on; who has used up more than the new burst waits for it.
  void change(Rate rate);

 private:
  struct Bucket {
    double tokens;
    Clock::time_point at;
  };
  double tokens_at(const Bucket& bucket, Clock::time_point now) const;
  Bucket& bucket_of(const std::string& who, Clock::time_point now);

  const std::size_t buckets_max_;
  std::mutex mutex_;
  Rate rate_;                                        // guarded by mutex_
  std::unordered_map<std::string, Bucket> buckets_;  // guarded by mutex_
  Bucket shared_;                                    // guarded by mutex_
  Clock::time_point sweep_at_{};                     // guarded by mutex_
};

}  // namespace orderd::auth
