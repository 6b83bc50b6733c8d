#include "http/front/grammar.h"

#include <strings.h>

#include <algorithm>
#include <array>

namespace orderd::http::front::grammar {
namespace {

using CharSet = std::array<bool, 256>;

constexpr CharSet alphanumeric_and(std::string_view others) {
  CharSet set{};
  for (unsigned c = 0; c < 128; ++c)
    set[c] = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  for (const char c : others) set[static_cast<unsigned char>(c)] = true;
  return set;
}

constexpr CharSet token_chars = alphanumeric_and("!#$%&'*+-.^_`|~");
constexpr CharSet target_chars = alphanumeric_and("-._~!$&'()*+,;=:@/?%");
constexpr CharSet host_name_chars = alphanumeric_and("-._~");

bool all_in(std::string_view text, const CharSet& set) {
  return std::all_of(text.begin(), text.end(), [&](char c) { return set[static_cast<unsigned char>(c)]; });
}

bool is_port(std::string_view text) {
  return text.size() <= 5 && std::all_of(text.begin(), text.end(), is_digit);
}

}  // namespace

bool iequals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_token_char(char c) { return token_chars[static_cast<unsigned char>(c)]; }

bool is_token(std::string_view text) { return !text.empty() && all_in(text, token_chars); }

bool is_field_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 32 && byte != '\t') || byte == 127;
  });
}

bool is_request_id(std::string_view text) {
  constexpr std::size_t characters_max = 128;
  constexpr std::string_view sane = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !text.empty() && text.size() <= characters_max && text.find_first_not_of(sane) == text.npos;
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_origin_form(std::string_view text) {
  if (text.empty() || text[0] != '/' || !all_in(text, target_chars)) return false;
  for (std::size_t i = text.find('%'); i != text.npos; i = text.find('%', i + 3)) {
    if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) return false;
    if (text[i + 1] == '0' && text[i + 2] == '0') return false;
  }
  return true;
}

bool is_authority(std::string_view text) {
  std::size_t host_end;
  if (!text.empty() && text[0] == '[') {
    host_end = text.find(']');
    if (host_end == text.npos || host_end < 3) return false;
    for (const char c : text.substr(1, host_end - 1))
      if (hex_value(c) < 0 && c != ':' && c != '.') return false;
    ++host_end;
  } else {
    host_end = std::min(text.find(':'), text.size());
    if (host_end == 0 || !all_in(text.substr(0, host_end), host_name_chars)) return false;
  }
  return host_end == text.size() || (text[host_end] == ':' && is_port(text.substr(host_end + 1)));
}

}  // namespace orderd::http::front::grammar
