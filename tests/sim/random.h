#pragma once
// All chance of a history comes from here, so that a seed is a history. No distribution of the standard
// library: they may differ between its versions.
#include <cstdint>

#include "base/clock.h"

namespace orderd::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 0x1234567u) {}
  std::uint64_t next() {  // splitmix64
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// 0 .. n-1
  int below(int n) { return static_cast<int>(next() % static_cast<std::uint64_t>(n)); }
  int between(int from, int to) { return from + below(to - from + 1); }
  bool chance(int percent) { return below(100) < percent; }
  bool per_mille(int parts) { return below(1000) < parts; }
  Millis ms(int from, int to) { return Millis(between(from, to)); }

 private:
  std::uint64_t state_;
};

}  // namespace orderd::sim
