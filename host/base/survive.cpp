#include "base/survive.h"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>

#include "base/log_summed.h"
#include "base/metrics.h"

namespace orderd {
namespace {

constexpr std::chrono::milliseconds before_again{1000};

void tell(std::string_view part, const char* what) {
  metrics()
      .counter("orderd_thread_failures_total", "Errors that nobody expected; the part began again",
               {{"part", std::string(part)}})
      .Increment();
  log_summed(LogLevel::error, part, "an error that nobody expected, beginning again", {{"error", what}});
}

}  // namespace

bool survive(std::string_view part, const std::function<void()>& work) {
  try {
    work();
    return true;
  } catch (const std::exception& error) { tell(part, error.what()); } catch (...) {
    tell(part, "not a std::exception");
  }
  return false;
}

void pause(const std::stop_token& stop, std::chrono::milliseconds time) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
}

void keep_running(std::string_view part, const std::stop_token& stop, const std::function<void()>& work) {
  while (!survive(part, work) && !stop.stop_requested()) pause(stop, before_again);
}

}  // namespace orderd
