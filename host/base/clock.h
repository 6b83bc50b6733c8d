#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orderd {

/// Wall-clock time to the millisecond: what is stored, sent and compared between machines.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;
using Millis = std::chrono::milliseconds;

Time now();
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
