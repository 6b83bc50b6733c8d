#include <catch2/catch.hpp>

#include "auth/rate_limiter.h"

using orderd::auth::RateLimiter;
using std::chrono::milliseconds;

namespace {

const RateLimiter::Clock::time_point begin{std::chrono::hours(1)};

}  // namespace

TEST_CASE("A burst is granted at once, and then one request for each share of a second") {
  RateLimiter limiter({10, 20});
  for (unsigned i = 0; i < 20; ++i) {
    const auto grant = limiter.take("a", begin);
    CHECK(grant.granted);
    CHECK(grant.left == 19 - i);
    CHECK(grant.quota == 20);
    CHECK(grant.window_s == 2);
  }
  const auto refused = limiter.take("a", begin + milliseconds(99));
  CHECK_FALSE(refused.granted);
  CHECK(refused.wait_s == 1);
  CHECK(refused.full_after_s == 2);
  CHECK(limiter.take("a", begin + milliseconds(101)).granted);
  CHECK_FALSE(limiter.take("a", begin + milliseconds(102)).granted);
  CHECK(limiter.take("b", begin + milliseconds(102)).granted);
  // A rest brings the burst back, and no more than that.
  CHECK(limiter.take("a", begin + std::chrono::hours(1)).left == 19);
}

TEST_CASE("A changed rate holds from the next request on, also for who was refused before") {
  RateLimiter limiter({1, 1});
  CHECK(limiter.take("a", begin).granted);
  CHECK_FALSE(limiter.take("a", begin + milliseconds(100)).granted);
  limiter.change({10, 20});
  CHECK(limiter.take("a", begin + milliseconds(200)).granted);
  CHECK(limiter.take("b", begin + milliseconds(200)).left == 19);
  limiter.change({1, 2});
  CHECK(limiter.take("b", begin + milliseconds(200)).left == 1);
  limiter.change({});
  CHECK(limiter.take("a", begin + milliseconds(200)).quota == 0);
}

TEST_CASE("A clock that steps back grants nothing twice") {
  RateLimiter limiter({1, 1});
  CHECK(limiter.take("a", begin).granted);
  CHECK_FALSE(limiter.take("a", begin - std::chrono::hours(1)).granted);
  CHECK_FALSE(limiter.take("a", begin + milliseconds(500)).granted);
}

TEST_CASE("Beyond the limit of buckets newcomers share one, and known clients keep theirs") {
  RateLimiter limiter({1, 2}, 3);
  for (const char* who : {"a", "b", "c"}) {
    CHECK(limiter.take(who, begin).granted);
    CHECK(limiter.take(who, begin).granted);
  }
  CHECK(limiter.take("d", begin).granted);
  CHECK(limiter.take("e", begin).granted);
  CHECK_FALSE(limiter.take("f", begin).granted);
  // Who has rested makes room.
  CHECK(limiter.take("f", begin + std::chrono::seconds(5)).granted);
  CHECK(limiter.take("g", begin + std::chrono::seconds(5)).granted);
}

TEST_CASE("Without a rate everything is granted") {
  RateLimiter limiter({0, 0});
  for (int i = 0; i < 1000; ++i) CHECK(limiter.take("a", begin).granted);
}
