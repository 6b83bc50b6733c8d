#pragma once
// Bytes of PostgreSQL's binary formats: big-endian integers, times as microseconds since 2000-01-01 UTC.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace orderd::store::wire {

template <typename Unsigned>
void put(std::string& out, Unsigned value) {
  for (int shift = static_cast<int>(sizeof value) * 8 - 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(static_cast<unsigned char>(value >> shift)));
}
inline void put16(std::string& out, std::uint16_t value) { put(out, value); }
inline void put32(std::string& out, std::uint32_t value) { put(out, value); }
inline void put64(std::string& out, std::uint64_t value) { put(out, value); }
inline void set32(std::string& out, std::size_t at, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out[at++] = static_cast<char>(static_cast<unsigned char>(value >> shift));
}

inline std::uint64_t get(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

inline constexpr std::int64_t pg_epoch_ms = 946684800000;  // 2000-01-01 in Unix milliseconds
inline std::int64_t to_pg_time(Time time) { return (time.time_since_epoch().count() - pg_epoch_ms) * 1000; }
inline Time from_pg_time(std::int64_t micros) {
  return Time(std::chrono::floor<Millis>(std::chrono::microseconds(micros)) + Millis(pg_epoch_ms));
}

}  // namespace orderd::store::wire
