// What a text of a plugin's must be.
#ifndef ORDERD_TESTING_TEXT_HPP
#define ORDERD_TESTING_TEXT_HPP

#include <cstddef>
#include <string_view>

namespace orderd::testing {

/// RFC 3629, without NUL.
inline bool is_text(std::string_view s) {
  for (std::size_t i = 0; i < s.size();) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(s[at]); };
    const unsigned char first = byte(i);
    const std::size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first == 0 || first > 0xf4 || length == 0 || i + length > s.size()) return false;
    for (std::size_t more = 1; more < length; ++more)
      if ((byte(i + more) & 0xc0) != 0x80) return false;
    if (first == 0xe0 && byte(i + 1) < 0xa0) return false;
    if (first == 0xed && byte(i + 1) > 0x9f) return false;
    if (first == 0xf0 && byte(i + 1) < 0x90) return false;
    if (first == 0xf4 && byte(i + 1) > 0x8f) return false;
    i += length;
  }
  return true;
}

/// Where a buyer's browser may be sent.
inline bool is_web_url(std::string_view s) {
  const std::size_t host = s.substr(0, 8) == "https://" ? 8 : s.substr(0, 7) == "http://" ? 7 : s.size();
  if (host >= s.size() || s[host] == '/' || s[host] == '?' || s[host] == '#') return false;
  for (const char c : s)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '"' || c == '\'') return false;
  return true;
}

}  // namespace orderd::testing
#endif
