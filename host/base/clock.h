#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orderd {

/// A time of the calendar to the millisecond: what is stored, sent and compared between machines.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;
using Millis = std::chrono::milliseconds;

/// The time that all hosts share: the database's clock as this process last measured it, carried on by a
/// steady clock. A host's own clock that is wrong, or that somebody turns, changes nothing of it, and it
/// never goes back: so it serves for intervals, too. Until the first measurement it is the host's clock as it
/// was when the process began. [any thread]
Time now();
/// This host's own clock, which may be wrong and may jump: for lines of the log. [any thread]
Time wall_now();
/// Milliseconds that never jump and go on while the machine sleeps; the same for all processes of one
/// machine. [any thread]
Millis steady_now();
/// A clock that is right (the database's, for a plugin's process the host's) showed `there` at `steady`. The
/// first measurement counts at once; later ones within 100 ms change nothing, others are approached. [any
/// thread]
void measured_clock(Time there, Millis steady);
/// How far this host's own clock is ahead of the measured one; nullopt before the first measurement. [any
/// thread]
std::optional<Millis> clock_offset();

/// What carries now(): pure. One thread.
class CarriedClock {
 public:
  CarriedClock(Time begin, Millis steady) : at_(begin), steady_(steady) {}
  /// Times never go back: asked for in order of `steady`, each is at least the one before.
  Time at(Millis steady) const;
  void measured(Time there, Millis steady);
  bool is_measured() const { return measured_; }

 private:
  Time at_;
  Millis steady_, behind_{0};  // what is still to be made up
  bool measured_ = false;
};

/// "2026-01-31T12:00:00.000Z" (RFC 3339, UTC, milliseconds).
std::string to_rfc3339(Time time);
/// Takes any RFC 3339 time with an offset; nullopt if it is not one.
std::optional<Time> parse_rfc3339(std::string_view text);

/// Where pure code gets its time from, so that a test or a simulation can turn the hands. [any thread]
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};

class SystemClock final : public Clock {
 public:
  Time now() const override { return orderd::now(); }
};

}  // namespace orderd
