// HMAC-SHA-256 (FIPS 180-4, RFC 2104) for the fake host, so that tests of a plugin need no other library.
#ifndef ORDERD_TESTING_SHA256_HPP
#define ORDERD_TESTING_SHA256_HPP

#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

namespace orderd::testing {

namespace detail {

inline std::uint32_t rotated(std::uint32_t x, int n) { return x >> n | x << (32 - n); }

/// The first 32 bits of the fractional part of a prime's square or cube root: the constants of SHA-2.
template <std::size_t Count>
std::array<std::uint32_t, Count> root_bits(long double (*root)(long double)) {
  std::array<std::uint32_t, Count> bits{};
  std::size_t found = 0;
  for (unsigned n = 2; found < Count; ++n) {
    bool prime = true;
    for (unsigned d = 2; d * d <= n; ++d) prime = prime && n % d != 0;
    if (!prime) continue;
    const long double value = root(n);
    bits[found++] = static_cast<std::uint32_t>((value - std::floor(value)) * 4294967296.0L);
  }
  return bits;
}

inline void take_block(std::array<std::uint32_t, 8>& h, const char* block) {
  static const auto k = root_bits<64>([](long double x) { return std::cbrt(x); });
  std::uint32_t w[64];
  for (int i = 0; i < 16; ++i) {
    w[i] = 0;
    for (int b = 0; b < 4; ++b) w[i] = w[i] << 8 | static_cast<unsigned char>(block[4 * i + b]);
  }
  for (int i = 16; i < 64; ++i)
    w[i] = w[i - 16] + w[i - 7] + (rotated(w[i - 15], 7) ^ rotated(w[i - 15], 18) ^ w[i - 15] >> 3) +
           (rotated(w[i - 2], 17) ^ rotated(w[i - 2], 19) ^ w[i - 2] >> 10);
  auto v = h;
  for (int i = 0; i < 64; ++i) {
    const std::uint32_t s1 = rotated(v[4], 6) ^ rotated(v[4], 11) ^ rotated(v[4], 25);
    const std::uint32_t s0 = rotated(v[0], 2) ^ rotated(v[0], 13) ^ rotated(v[0], 22);
    const std::uint32_t t1 = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i];
    const std::uint32_t t2 = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
    v = {t1 + t2, v[0], v[1], v[2], v[3] + t1, v[4], v[5], v[6]};
  }
  for (std::size_t i = 0; i < 8; ++i) h[i] += v[i];
}

}  // namespace detail

/// 32 bytes.
inline std::string sha256(std::string_view bytes) {
  auto h = detail::root_bits<8>([](long double x) { return std::sqrt(x); });
  std::string padded(bytes);
  padded += '\x80';
  while (padded.size() % 64 != 56) padded += '\0';
  for (int shift = 56; shift >= 0; shift -= 8)
    padded += static_cast<char>(static_cast<std::uint64_t>(bytes.size()) * 8 >> shift & 0xff);
  for (std::size_t at = 0; at < padded.size(); at += 64) detail::take_block(h, padded.data() + at);
  std::string out;
  for (const std::uint32_t word : h)
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(word >> shift & 0xff);
  return out;
}

inline std::string hmac_sha256(std::string_view key, std::string_view message) {
  std::string block(key.size() > 64 ? sha256(key) : std::string(key));
  block.resize(64, '\0');
  std::string inner = block, outer = block;
  for (char& c : inner) c = static_cast<char>(c ^ 0x36);
  for (char& c : outer) c = static_cast<char>(c ^ 0x5c);
  return sha256(outer + sha256(inner.append(message)));
}

inline std::string to_hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes)
    for (const int half : {static_cast<unsigned char>(c) >> 4, c & 15}) out += "0123456789abcdef"[half];
  return out;
}

}  // namespace orderd::testing
#endif
