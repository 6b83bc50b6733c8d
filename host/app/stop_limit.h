#pragma once
#include <chrono>

namespace orderd {

/// How long after the drain time a process that was asked to stop is gone at the latest.
inline constexpr std::chrono::seconds stop_slack{8};

/// Holds a stop to its time, counted from the signal, whatever main is busy with: soon after `drain` nobody
/// waits for PostgreSQL any more, and `stop_slack` after it the process ends by force. What was under way is
/// taken up at the next start, as after a crash. A later call changes `drain`. [any thread]
void limit_stop(std::chrono::milliseconds drain);
/// What is left of the drain time since the signal. [any thread]
std::chrono::milliseconds drain_left();

}  // namespace orderd
