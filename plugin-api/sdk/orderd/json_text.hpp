// Strings of JSON: read, their escapes undone, and written.
#ifndef ORDERD_SDK_JSON_TEXT_HPP
#define ORDERD_SDK_JSON_TEXT_HPP

#include <string>
#include <string_view>

namespace orderd::sdk {

inline bool take_word(std::string_view& rest, std::string_view word) {
  if (rest.substr(0, word.size()) != word) return false;
  rest.remove_prefix(word.size());
  return true;
}

inline bool take_json_unit(std::string_view& rest, unsigned& out) {
  out = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = rest.empty() ? ' ' : rest[0];
    const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    const std::size_t digit = std::string_view("0123456789abcdef").find(lower);
    if (digit == std::string_view::npos) return false;
    out = out * 16 + static_cast<unsigned>(digit);
    rest.remove_prefix(1);
  }
  return true;
}

inline void put_utf8(unsigned code, std::string& own) {
  const auto put = [&](unsigned byte) { own += static_cast<char>(byte); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0 | code >> 6);
  } else {
    if (code >= 0x10000) put(0xf0 | code >> 18), put(0x80 | (code >> 12 & 0x3f));
    if (code < 0x10000) put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
  }
  put(0x80 | (code & 0x3f));
}

/// What follows a backslash.
inline bool take_json_escape(std::string_view& rest, std::string& own) {
  constexpr std::string_view letters = "\"\\/bfnrt", meant = "\"\\/\b\f\n\r\t";
  unsigned code = 0, low = 0;
  if (!take_word(rest, "u")) {
    const std::size_t which = rest.empty() ? std::string_view::npos : letters.find(rest[0]);
    if (which == std::string_view::npos) return false;
    own += meant[which];
    rest.remove_prefix(1);
    return true;
  }
  if (!take_json_unit(rest, code) || code == 0 || (code >= 0xdc00 && code < 0xe000)) return false;
  if (code >= 0xd800 && code < 0xdc00) {
    if (!take_word(rest, "\\u") || !take_json_unit(rest, low) || low < 0xdc00 || low >= 0xe000) return false;
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  }
  put_utf8(code, own);
  return true;
}

inline bool take_json_string(std::string_view& rest, std::string& own) {
  if (!take_word(rest, "\"")) return false;
  while (!rest.empty() && rest[0] != '"') {
    const char c = rest[0];
    rest.remove_prefix(1);
    if (static_cast<unsigned char>(c) < 0x20) return false;
    if (c != '\\')
      own += c;
    else if (!take_json_escape(rest, own))
      return false;
  }
  return take_word(rest, "\"");
}

/// A text as JSON, its quotes around it.
inline std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20) {
      out += "\\u00";
      for (const int half : {byte >> 4, byte & 15}) out += "0123456789abcdef"[half];
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace orderd::sdk
#endif
