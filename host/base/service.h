#pragma once
// What a service manager and a running process tell each other: signals in, sd_notify out. Without a manager
// (no NOTIFY_SOCKET) the notes go nowhere. [main thread]
#include <chrono>
#include <functional>
#include <string>

namespace orderd::service {

enum class Request { none, reload, stop };

/// In main, before any other thread: from then on a thread of its own takes stop and reload signals, for
/// wait() to return.
void block_signals();
/// Called once, on the signals' thread, the moment a stop is asked for, whatever main is busy with. It must
/// not wait.
void on_stop(std::function<void()> call);
/// Sleeps until a signal or the end of `limit`, telling the watchdog, if the manager keeps one, that main is
/// alive.
Request wait(std::chrono::milliseconds limit);
/// For long work of main between two calls of wait(): whether a stop was asked for meanwhile. Tells the
/// watchdog that main is alive.
bool must_stop();

void ready();
void reloading();
void stopping();
/// One line for `systemctl status`.
void status(const std::string& line);
/// What follows may take this long: the manager gives up no sooner.
void needs(std::chrono::milliseconds time);

}  // namespace orderd::service
