#include "base/service.h"

#include <signal.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace orderd::service {
namespace {

using std::chrono::milliseconds;

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int one : signals) sigaddset(&set, one);
  return set;
}

/// How often the watchdog must hear of us, half of what it allows; zero: there is none.
milliseconds watchdog_interval() {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) <= 0) return milliseconds(0);
  return milliseconds(microseconds / 2000);
}

/// What signals asked for. Never destroyed: their thread ends with the process.
struct Signals {
  std::mutex mutex;
  std::condition_variable came;
  bool stop = false, reload = false, told = false;  // guarded by mutex
  std::function<void()> on_stop;                    // guarded by mutex

  /// With the mutex held.
  void tell() {
    if (!stop || told || !on_stop) return;
    told = true;
    on_stop();
  }
};

Signals& signals() {
  static auto* const one = new Signals;
  return *one;
}

[[noreturn]] void take_signals() {
  const sigset_t set = set_of({SIGTERM, SIGINT, SIGQUIT, SIGHUP});
  for (;;) {
    const int signal = sigwaitinfo(&set, nullptr);
    if (signal < 0) continue;
    std::lock_guard lock(signals().mutex);
    (signal == SIGHUP ? signals().reload : signals().stop) = true;
    signals().tell();
    signals().came.notify_all();
  }
}

}  // namespace

void block_signals() {
  const sigset_t set = set_of({SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGPIPE});
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread(take_signals).detach();
}

void on_stop(std::function<void()> call) {
  std::lock_guard lock(signals().mutex);
  signals().on_stop = std::move(call);
  signals().tell();
}

Request wait(milliseconds limit) {
  static const milliseconds interval = watchdog_interval();
  const auto end = std::chrono::steady_clock::now() + limit;
  std::unique_lock lock(signals().mutex);
  for (;;) {
    if (interval.count() > 0) sd_notify(0, "WATCHDOG=1");
    const auto left = std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now());
    milliseconds nap = std::max(left, milliseconds(0));
    if (interval.count() > 0) nap = std::min(nap, interval);
    signals().came.wait_for(lock, nap, [] { return signals().stop || signals().reload; });
    if (signals().stop) return Request::stop;
    if (std::exchange(signals().reload, false)) return Request::reload;
    if (left <= nap) return Request::none;
  }
}

bool must_stop() {
  if (watchdog_interval().count() > 0) sd_notify(0, "WATCHDOG=1");
  std::lock_guard lock(signals().mutex);
  return signals().stop;
}

void ready() { sd_notify(0, "READY=1\nSTATUS=taking orders"); }
void reloading() { sd_notify(0, "RELOADING=1\nSTATUS=reading the configuration again"); }
void stopping() { sd_notify(0, "STOPPING=1\nSTATUS=finishing what is in flight"); }
void status(const std::string& line) { sd_notify(0, ("STATUS=" + line).c_str()); }

void needs(milliseconds time) {
  sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%llu", static_cast<unsigned long long>(time.count()) * 1000);
}

}  // namespace orderd::service
