#include "base/clock.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <utility>

#include "base/fault.h"

namespace orderd {

namespace {

constexpr Millis close_enough{100};  // two measurements of one clock differ by half of their round trips
constexpr int approach_share = 4;    // an hour is made up in four: nobody's interval is off by more

/// This process's own.
struct ProcessClock {
  std::mutex mutex;
  CarriedClock carried{wall_now(), steady_now()};
  Time there{};  // the last measurement
  Millis there_at{};
};

ProcessClock& process_clock() {
  static ProcessClock one;
  return one;
}

}  // namespace

Time CarriedClock::at(Millis steady) const {
  const Millis passed = std::max(Millis(0), steady - steady_);
  return at_ + passed + std::clamp(behind_, -passed / approach_share, passed / approach_share);
}

void CarriedClock::measured(Time there, Millis steady) {
  const Time here = at(steady);
  const bool first = !std::exchange(measured_, true);
  behind_ = first ? Millis(0) : there - here;
  if (std::chrono::abs(behind_) <= close_enough) behind_ = Millis(0);
  at_ = first ? there : here;
  steady_ = std::max(steady, steady_);
}

Time wall_now() {
  return std::chrono::floor<Millis>(std::chrono::system_clock::now()) + Millis(fault::clock_turned_ms());
}

Millis steady_now() {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::floor<Millis>(std::chrono::seconds(time.tv_sec) +
                                    std::chrono::nanoseconds(time.tv_nsec));
}

Time now() {
  if (fault::mutation("time_by_host")) return wall_now();
  ProcessClock& clock = process_clock();
  const Millis steady = steady_now();
  const std::lock_guard lock(clock.mutex);
  return clock.carried.at(steady);
}

void measured_clock(Time there, Millis steady) {
  ProcessClock& clock = process_clock();
  const std::lock_guard lock(clock.mutex);
  clock.carried.measured(there, steady);
  clock.there = there;
  clock.there_at = steady;
}

std::optional<Millis> clock_offset() {
  ProcessClock& clock = process_clock();
  const std::lock_guard lock(clock.mutex);
  if (!clock.carried.is_measured()) return std::nullopt;
  return wall_now() - (clock.there + (steady_now() - clock.there_at));
}

std::string to_rfc3339(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text;
}

namespace {

/// Does `text` begin as `shape` says, in which d is a digit and T is t, too?
bool has_shape(std::string_view text, std::string_view shape) {
  if (text.size() < shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool fits = shape[i] == 'd'   ? text[i] >= '0' && text[i] <= '9'
                      : shape[i] == 'T' ? text[i] == 'T' || text[i] == 't'
                                        : text[i] == shape[i];
    if (!fits) return false;
  }
  return true;
}

}  // namespace

std::optional<Time> parse_rfc3339(std::string_view text) {
  int year, month, day, hour, minute, second, read = 0;
  const std::string copy(text);
  const char* at = copy.c_str();
  // sscanf alone would take signs and blanks for parts of numbers.
  if (!has_shape(text, "dddd-dd-ddTdd:dd:dd") ||
      std::sscanf(at, "%4d-%2d-%2d%*1[Tt]%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second,
                  &read) != 6 ||
      read != 19)
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60 || hour < 0 || minute < 0 || second < 0)
    return std::nullopt;
  at += 19;
  int ms = 0;
  if (*at == '.') {
    int digits = 0;
    for (++at; *at >= '0' && *at <= '9'; ++at, ++digits)
      if (digits < 3) ms = ms * 10 + (*at - '0');
    if (digits == 0) return std::nullopt;
    for (; digits < 3; ++digits) ms *= 10;
  }
  int offset_minutes = 0;
  if (*at == 'Z' || *at == 'z') {
    ++at;
  } else if (*at == '+' || *at == '-') {
    int offset_hour, offset_minute, length = 0;
    if (!has_shape(at + 1, "dd:dd") ||
        std::sscanf(at + 1, "%2d:%2d%n", &offset_hour, &offset_minute, &length) != 2 || length != 5 ||
        offset_hour > 23 || offset_minute > 59)
      return std::nullopt;
    offset_minutes = (offset_hour * 60 + offset_minute) * (*at == '-' ? -1 : 1);
    at += 6;
  } else {
    return std::nullopt;
  }
  if (at != copy.c_str() + copy.size()) return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{hour} +
         std::chrono::minutes{minute - offset_minutes} + std::chrono::seconds{second} + Millis{ms};
}

}  // namespace orderd
