#include "base/uuid.h"

#include <sys/random.h>

#include <cstring>
#include <mutex>
#include <stdexcept>

#include "base/clock.h"

namespace orderd {
namespace {

/// Random bytes by the page: one system call serves some hundred ids.
void random_bytes(std::uint8_t* out, std::size_t size) {
  thread_local std::array<std::uint8_t, 2048> pool;
  thread_local std::size_t used = pool.size();
  if (used + size > pool.size()) {
    if (getrandom(pool.data(), pool.size(), 0) != static_cast<ssize_t>(pool.size()))
      throw std::runtime_error("getrandom failed");
    used = 0;
  }
  std::memcpy(out, pool.data() + used, size);
  used += size;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

Uuid Uuid::v7() {
  static std::mutex mutex;
  static std::uint64_t last =
      0;  // 48 bits of milliseconds, then a 12-bit counter: RFC 9562, section 6.2, method 1
  const auto ms = static_cast<std::uint64_t>(now().time_since_epoch().count());
  std::uint64_t stamp;
  {
    std::lock_guard lock(mutex);
    last = stamp = std::max(last + 1, ms << 12);
  }
  Uuid id;
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(stamp >> (52 - 8 * i));
  id.bytes[6] = static_cast<std::uint8_t>(0x70 | ((stamp >> 8) & 0x0f));
  id.bytes[7] = static_cast<std::uint8_t>(stamp);
  random_bytes(id.bytes.data() + 8, 8);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Uuid id;
  std::size_t byte = 0;
  for (std::size_t i = 0; i < 36;) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i++] != '-') return std::nullopt;
      continue;
    }
    const int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    id.bytes[byte++] = static_cast<std::uint8_t>(high << 4 | low);
    i += 2;
  }
  return id;
}

std::string Uuid::to_string() const {
  static const char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    text.push_back(digits[bytes[i] >> 4]);
    text.push_back(digits[bytes[i] & 15]);
  }
  return text;
}

std::int64_t Uuid::unix_ms() const {
  std::int64_t ms = 0;
  for (std::size_t i = 0; i < 6; ++i) ms = ms << 8 | bytes[i];
  return ms;
}

}  // namespace orderd

std::size_t std::hash<orderd::Uuid>::operator()(const orderd::Uuid& id) const noexcept {
  std::uint64_t a, b;
  std::memcpy(&a, id.bytes.data(), 8);
  std::memcpy(&b, id.bytes.data() + 8, 8);
  return a * 0x9e3779b97f4a7c15u ^ b;
}
