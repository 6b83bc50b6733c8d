#include <catch2/catch.hpp>

#include "base/clock.h"
#include "base/fault.h"

using namespace orderd;

namespace {

constexpr Time noon{Millis(1'800'000'000'000)};
constexpr Millis hour{3'600'000};

}  // namespace

TEST_CASE("the first measurement counts at once, however wrong the host's clock is") {
  CarriedClock clock(noon + 25 * hour, Millis(1000));
  clock.measured(noon, Millis(2000));
  CHECK(clock.at(Millis(2000)) == noon);
  CHECK(clock.at(Millis(2500)) == noon + Millis(500));
}

TEST_CASE("a clock that is turned later is approached, and time never stands still or goes back") {
  for (const Millis turned : {-hour, hour}) {
    CarriedClock clock(noon, Millis(0));
    clock.measured(noon, Millis(0));
    Time before = noon;
    Millis steady{0};
    for (; steady < 6 * hour; steady += Millis(1000)) {
      const Time at = clock.at(steady);
      if (steady > Millis(0)) {
        REQUIRE(at - before >= Millis(749));
        REQUIRE(at - before <= Millis(1251));
      }
      before = at;
      clock.measured(noon + turned + steady, steady);
    }
    CHECK(std::chrono::abs(clock.at(steady) - (noon + turned + steady)) <= Millis(100));
  }
}

TEST_CASE("measurements that differ by their round trips change nothing") {
  CarriedClock clock(noon, Millis(0));
  clock.measured(noon, Millis(0));
  for (int i = 1; i < 100; ++i)
    clock.measured(noon + Millis(1000 * i + (i % 2 ? 40 : -40)), Millis(1000 * i));
  CHECK(clock.at(Millis(100'000)) == noon + Millis(100'000));
}

#ifdef ORDERD_FAULTS
TEST_CASE("turning the host's own clock moves no time that is shared or waited by") {
  measured_clock(now(), steady_now());
  const Time before = now();
  for (const std::int64_t turned : {-3'600'000, 3'600'000}) {
    fault::turn_clock(turned);
    CHECK(now() >= before);
    CHECK(now() - before < Millis(60'000));
    CHECK(std::chrono::abs(*clock_offset() - Millis(turned)) < Millis(60'000));
    CHECK(std::chrono::abs(wall_now() - now() - Millis(turned)) < Millis(60'000));
  }
  fault::turn_clock(0);
}
#endif
