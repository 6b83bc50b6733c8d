#pragma once
// What a thread does with an exception that nobody expected: it says so, counts it, and begins again. An
// error in one part never ends the process.
#include <chrono>
#include <functional>
#include <stop_token>
#include <string_view>

namespace orderd {

/// Runs `work`. False if an exception left it: logged, and counted in orderd_thread_failures_total{part}.
[[nodiscard]] bool survive(std::string_view part, const std::function<void()>& work);

/// Waits, or until `stop` is asked for.
void pause(const std::stop_token& stop, std::chrono::milliseconds time);

/// A thread's whole work: runs `work` until it returns, again after a second whenever an exception left it,
/// unless `stop` is asked for.
void keep_running(std::string_view part, const std::stop_token& stop, const std::function<void()>& work);

}  // namespace orderd
