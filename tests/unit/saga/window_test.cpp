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

  /// The window after `seconds` in which there was more to do than goes out.
  std::size_t busy(ConcurrencyLimit& window, int seconds) const {
    constexpr Millis step{50};
    std::deque<std::pair<Uuid, Time>> queue;  // and when each was sent
    int number = 0;
    for (Time now = start; now < start + Millis(1000 * seconds); now += step) {
      for (Uuid id = Uuid::v7(); window.take(id); id = Uuid::v7()) {
        window.sent(id, now);
        queue.emplace_back(id, now);
      }
      for (int i = 0; i < per_second / 20 && !queue.empty(); ++i) {
        const auto [id, sent] = queue.front();
        queue.pop_front();
        const bool gone = lost != 0 && ++number % lost == 0;
        window.answered(id, sent + (gone ? patience : std::min(patience, now - sent + each)), patience);
      }
    }
    return window.size();
  }
};

}  // namespace

TEST_CASE("a quick provider is given all that there is") {
  ConcurrencyLimit window;
  CHECK(Provider{100'000}.busy(window, 15) > 1000);
}

TEST_CASE("a slow provider is given what it answers well before the deadline") {
  ConcurrencyLimit window;
  const std::size_t size = Provider{100}.busy(window, 600);
  CHECK(size < 150);  // a second and a half's work
  CHECK(size > 20);
}

TEST_CASE("answers that are lost by the dozen do not count as load") {
  ConcurrencyLimit window;
  CHECK(Provider{100'000, Millis(20), 5}.busy(window, 15) > 1000);
}

TEST_CASE("a provider that always takes long is not taken for one that is overloaded") {
  ConcurrencyLimit window;
  CHECK(Provider{100'000, Millis(1500)}.busy(window, 15) > 1000);
}

TEST_CASE("a single slow answer now and then changes nothing") {
  ConcurrencyLimit window;
  Time now = start;
  for (int i = 0; i < 100; ++i) {
    const Uuid id = Uuid::v7();
    REQUIRE(window.take(id));
    window.sent(id, now += Millis(3000));
    window.answered(id, now + Millis(i % 2 ? 5 : 1900), patience);
  }
  CHECK(window.size() == 256);
}

TEST_CASE("an answer to an earlier call of the order is no answer to the one that is out") {
  ConcurrencyLimit window;
  const Uuid id = Uuid::v7();
  REQUIRE(window.take(id));
  window.sent(id, start);
  window.answered(id, start - Millis(700), patience);
  CHECK(window.out() == 1);
  CHECK(window.median() == Millis(0));
  window.answered(id, start + Millis(20), patience);
  CHECK(window.out() == 0);
  CHECK(window.median() == Millis(20));
}
