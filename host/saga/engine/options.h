#pragma once
// Limits and paces of the engine; tests make them small.
#include <cstddef>

#include "base/clock.h"

namespace orderd::saga {

struct EngineOptions {
  std::size_t orders_per_tick_max = 256;
  std::size_t completions_queued_max = 100'000;
  std::size_t finished_kept_max = 4096;  // sagas that are over, for what is still said about them
  Millis maintain_every{1000};
  Millis inbox_every{100};
  Millis store_retry{500};     // between attempts while PostgreSQL is away
  Millis drain_limit{10'000};  // at shutdown, for calls in flight
  // For one plugin instance: orders in memory whose call is paused or whose breaker is open. More are kept
  // by name only.
  std::size_t held_max = 2000;
  // Orders that wait for room at a plugin before no more are read; of several a slow one holds up the others.
  std::size_t waiting_max = 2000, waiting_max_of_several = 50'000;
};

}  // namespace orderd::saga
