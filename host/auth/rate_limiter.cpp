#include "auth/rate_limiter.h"

#include <algorithm>
#include <cmath>

namespace orderd::auth {
namespace {

/// Sweeping looks at every bucket, so a flood of new addresses must not make each request do it.
constexpr std::chrono::seconds sweep_every{1};

}  // namespace

RateLimiter::RateLimiter(Rate rate, std::size_t buckets_max) : buckets_max_(buckets_max) { change(rate); }

void RateLimiter::change(Rate rate) {
  std::lock_guard lock(mutex_);
  rate_ = {rate.per_second, std::max(rate.burst, rate.per_second)};
  shared_ = {static_cast<double>(rate_.burst), {}};
}

double RateLimiter::tokens_at(const Bucket& bucket, Clock::time_point now) const {
  const std::chrono::duration<double> rested = now - bucket.at;
  return std::min<double>(rate_.burst, bucket.tokens + std::max(0.0, rested.count()) * rate_.per_second);
}

RateLimiter::Bucket& RateLimiter::bucket_of(const std::string& who, Clock::time_point now) {
  const auto found = buckets_.find(who);
  if (found != buckets_.end()) return found->second;
  if (buckets_.size() >= buckets_max_ && now >= sweep_at_) {
    sweep_at_ = now + sweep_every;
    // A full bucket says nothing that a new one would not.
    std::erase_if(buckets_, [&](const auto& one) { return tokens_at(one.second, now) >= rate_.burst; });
  }
  if (buckets_.size() >= buckets_max_) return shared_;
  return buckets_.emplace(who, Bucket{static_cast<double>(rate_.burst), now}).first->second;
}

RateLimiter::Grant RateLimiter::take(const std::string& who, Clock::time_point now) {
  std::lock_guard lock(mutex_);
  if (rate_.per_second == 0) return {};
  Bucket& bucket = bucket_of(who, now);
  bucket.tokens = tokens_at(bucket, now);
  bucket.at = std::max(bucket.at, now);
  Grant grant;
  grant.quota = rate_.burst;
  grant.window_s = static_cast<int>((rate_.burst + rate_.per_second - 1) / rate_.per_second);
  grant.granted = bucket.tokens >= 1;
  if (grant.granted) bucket.tokens -= 1;
  const auto seconds = [&](double missing) {
    return static_cast<int>(std::ceil(missing / rate_.per_second));
  };
  grant.left = static_cast<unsigned>(bucket.tokens);
  grant.wait_s = grant.granted ? 0 : std::max(1, seconds(1 - bucket.tokens));
  grant.full_after_s = seconds(rate_.burst - bucket.tokens);
  return grant;
}

}  // namespace orderd::auth
