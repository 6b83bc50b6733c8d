#include "saga/engine/turned_clock.h"

#include <algorithm>

namespace orderd::saga {
namespace {

constexpr Millis ahead_max{5000};  // hosts measure one clock: they differ by less

/// When it was written, at the earliest, by what comes back with it.
Time written(const Saga& saga) {
  Time at{};
  for (const auto* open : {&saga.open, &saga.suspended})
    if (*open) at = std::max({at, (*open)->began, (*open)->sent});
  return at;
}

}  // namespace

void bring_back_to(Time now, Saga& saga) {
  const Millis ahead = written(saga) - now;
  if (ahead <= ahead_max) return;
  const auto back = [&](Time& time) {
    if (time > now) time -= ahead;
  };
  for (auto* one : {&saga.open, &saga.suspended}) {
    if (!*one) continue;
    OpenCommand& open = **one;
    for (Time* time : {&open.began, &open.sent, &open.key_sent, &open.deadline, &open.unanswered_until,
                       &open.contradicted_since, &open.next})
      back(*time);
  }
  back(saga.recheck_requested_at);
  back(saga.extend_at);
}

}  // namespace orderd::saga
