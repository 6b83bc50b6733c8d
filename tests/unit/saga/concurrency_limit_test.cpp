// How many calls go out at once: more while answers come quickly, fewer when they queue at the provider.
#include <catch2/catch.hpp>

#include <deque>

#include "saga/admission/concurrency_limit.h"

using namespace orderd;
using namespace orderd::saga;

namespace {

constexpr Millis patience{2000};
const Time start{Millis(1'800'000'000'000)};

/// A provider with a queue: it ends `per_second` calls and needs `each` for one; every `lost`th answer is
/// lost.
struct Provider {
  int per_second;
  Millis each{20};
  int lost = 0;

  /// The limit's size after `seconds` in which there was more to do than goes out.
  std::size_t busy(ConcurrencyLimit& limit, int seconds) const {
    constexpr Millis step{50};
    struct Call {
      Uuid id;
      Time sent;
      Permit permit;
    };
    std::deque<Call> queue;
    int number = 0;
    for (Time now = start; now < start + Millis(1000 * seconds); now += step) {
      for (Uuid id = Uuid::v7(); auto permit = limit.take(id); id = Uuid::v7()) {
        limit.sent(id, now);
        queue.push_back({id, now, std::move(*permit)});
      }
      for (int i = 0; i < per_second / 20 && !queue.empty(); ++i) {
        const Call call = std::move(queue.front());
        queue.pop_front();
        const bool gone = lost != 0 && ++number % lost == 0;
        const Millis took = gone ? patience : std::min(patience, now - call.sent + each);
        limit.answered(call.id, call.sent + took, patience);
      }
    }
    return limit.size();
  }
};

}  // namespace

TEST_CASE("a quick provider is given all that there is") {
  ConcurrencyLimit limit;
  CHECK(Provider{100'000}.busy(limit, 15) > 1000);
}

TEST_CASE("a slow provider is given what it answers well before the deadline") {
  ConcurrencyLimit limit;
  const std::size_t size = Provider{100}.busy(limit, 600);
  CHECK(size < 150);  // a second and a half's work
  CHECK(size > 20);
}

TEST_CASE("answers that are lost by the dozen do not count as load") {
  ConcurrencyLimit limit;
  CHECK(Provider{100'000, Millis(20), 5}.busy(limit, 15) > 1000);
}

TEST_CASE("a provider that always takes long is not taken for one that is overloaded") {
  ConcurrencyLimit limit;
  CHECK(Provider{100'000, Millis(1500)}.busy(limit, 15) > 1000);
}

TEST_CASE("a single slow answer now and then changes nothing") {
  ConcurrencyLimit limit;
  Time now = start;
  for (int i = 0; i < 100; ++i) {
    const Uuid id = Uuid::v7();
    const auto permit = limit.take(id);
    REQUIRE(permit);
    limit.sent(id, now += Millis(3000));
    limit.answered(id, now + Millis(i % 2 ? 5 : 1900), patience);
  }
  CHECK(limit.size() == 256);
}

TEST_CASE("an answer to an earlier call of the order is no answer to the one that is out") {
  ConcurrencyLimit limit;
  const Uuid id = Uuid::v7();
  const auto permit = limit.take(id);
  REQUIRE(permit);
  limit.sent(id, start);
  CHECK_FALSE(limit.answered(id, start - Millis(700), patience));
  CHECK(limit.out() == 1);
  CHECK(limit.median() == Millis(0));
  CHECK(limit.answered(id, start + Millis(20), patience));
  CHECK(limit.out() == 0);
  CHECK(limit.median() == Millis(20));
}

TEST_CASE("a permit gives its place back at its end, once, wherever it was moved to") {
  ConcurrencyLimit limit;
  {
    auto first = limit.take(Uuid::v7()), second = limit.take(Uuid::v7());
    REQUIRE((first && second));
    CHECK(limit.out() == 2);
    std::vector<Permit> kept;
    kept.push_back(std::move(*first));
    first.reset();
    CHECK(limit.out() == 2);
    kept.front() = std::move(*second);
    second.reset();
    CHECK(limit.out() == 1);
  }
  CHECK(limit.out() == 0);
}
