#include "base/service.h"

#include <signal.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

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

}  // namespace

void block_signals() {
  const sigset_t set = set_of({SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGPIPE});
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Wish wait(milliseconds limit) {
  static const milliseconds interval = watchdog_interval();
  const sigset_t set = set_of({SIGTERM, SIGINT, SIGQUIT, SIGHUP});
  const auto end = std::chrono::steady_clock::now() + limit;
  for (;;) {
    if (interval.count() > 0) sd_notify(0, "WATCHDOG=1");
    const auto left = std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now());
    milliseconds nap = std::max(left, milliseconds(0));
    if (interval.count() > 0) nap = std::min(nap, interval);
    const timespec time{nap.count() / 1000, (nap.count() % 1000) * 1'000'000};
    const int signal = sigtimedwait(&set, nullptr, &time);
    if (signal > 0) return signal == SIGHUP ? Wish::reload : Wish::stop;
    if (left <= nap) return Wish::none;
  }
}

void ready() { sd_notify(0, "READY=1\nSTATUS=taking orders"); }
void reloading() { sd_notify(0, "RELOADING=1\nSTATUS=reading the configuration again"); }
void stopping() { sd_notify(0, "STOPPING=1\nSTATUS=finishing what is in flight"); }
void status(const std::string& line) { sd_notify(0, ("STATUS=" + line).c_str()); }

void needs(milliseconds time) {
  sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%llu", static_cast<unsigned long long>(time.count()) * 1000);
}

}  // namespace orderd::service
