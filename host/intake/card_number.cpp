#include "intake/card_number.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/utf8.h"

namespace orderd::intake {
namespace {

constexpr std::size_t digits_min = 14, digits_max = 19;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool passes_luhn(std::string_view digits) {
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    int digit = digits[digits.size() - 1 - i] - '0';
    if (i % 2 == 1 && (digit *= 2) > 9) digit -= 9;
    sum += digit;
  }
  return sum % 10 == 0;
}

struct Range {
  int first, last;  // inclusive, of the first four digits
};
/// Issuer ranges by their first four digits: American Express, Diners Club, JCB, Visa, Mastercard, Maestro,
/// Discover, UnionPay, Mir.
constexpr std::array<Range, 13> issuers{{{2200, 2204},
                                         {2221, 2720},
                                         {3000, 3059},
                                         {3095, 3095},
                                         {3400, 3499},
                                         {3528, 3589},
                                         {3600, 3699},
                                         {3700, 3799},
                                         {3800, 3999},
                                         {4000, 4999},
                                         {5000, 5999},
                                         {6000, 6999},
                                         {8100, 8171}}};

bool begins_like_a_card(std::string_view digits) {
  const int first =
      (digits[0] - '0') * 1000 + (digits[1] - '0') * 100 + (digits[2] - '0') * 10 + (digits[3] - '0');
  for (const Range& range : issuers)
    if (first >= range.first && first <= range.last) return true;
  return false;
}

/// The length of a UUID's text form at `at`, or 0.
std::size_t uuid_at(std::string_view text, std::size_t at) {
  constexpr std::string_view shape = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
  if (text.size() - at < shape.size()) return 0;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const char c = text[at + i];
    if (shape[i] == '-' ? c != '-' : !is_hex(c)) return 0;
  }
  const std::size_t end = at + shape.size();
  return end < text.size() && is_hex(text[end]) ? 0 : shape.size();
}

/// The length of a date of our time as ISO 8601 writes it, at the beginning of a word, or 0.
std::size_t date_at(std::string_view text, std::size_t at) {
  constexpr std::string_view shape = "dddd-dd-dd";
  if (text.size() - at < shape.size()) return 0;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == '-' ? text[at + i] != '-' : !is_digit(text[at + i])) return 0;
  const auto two = [&](std::size_t i) { return (text[at + i] - '0') * 10 + text[at + i + 1] - '0'; };
  const bool is_date =
      (two(0) == 19 || two(0) == 20) && two(5) >= 1 && two(5) <= 12 && two(8) >= 1 && two(8) <= 31;
  const std::size_t end = at + shape.size();
  return is_date && (end == text.size() || !is_digit(text[end])) ? shape.size() : 0;
}

/// One character of a text.
struct Character {
  enum class Kind { digit, letter, separator } kind = Kind::letter;
  char digit = 0;
  char32_t separator = 0;  // people mix blanks and dashes: all of them are ' '
  std::size_t size = 1;
};

bool is_blank_or_dash(char32_t c) {
  return c == ' ' || c == '-' || (c >= 9 && c <= 13) || c == 0xa0 || c == 0xad ||
         (c >= 0x2000 && c <= 0x2015) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x2060 || c == 0x2212 || c == 0x3000 || c == 0xfe58 || c == 0xfe63 || c == 0xff0d ||
         c == 0xfeff;
}

bool is_other_punctuation(char32_t c) {
  if (c < 0x80) return true;  // what is no digit and no letter
  return (c >= 0xa1 && c <= 0xbf && c != 0xaa && c != 0xb2 && c != 0xb3 && c != 0xb5 && c != 0xb9 &&
          c != 0xba) ||
         c == 0xd7 || c == 0xf7 || (c >= 0x2016 && c <= 0x206f) || (c >= 0x2190 && c <= 0x2bff) ||
         (c >= 0x3001 && c <= 0x303f) || (c >= 0xff01 && c <= 0xff0f) || (c >= 0xff1a && c <= 0xff20);
}

Character character_at(std::string_view text, std::size_t at) {
  Character out;
  if (is_digit(text[at])) {
    out.kind = Character::Kind::digit;
    out.digit = text[at];
    return out;
  }
  if (is_letter(text[at])) return out;
  out.size = std::max<std::size_t>(1, utf8_size_at(text, at));
  char32_t c = static_cast<unsigned char>(text[at]);
  if (out.size > 1) {
    c &= 0xffu >> (out.size + 1);
    for (std::size_t i = 1; i < out.size; ++i) c = c << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3f);
  }
  for (const char32_t zero : {0x660u, 0x6f0u, 0xff10u})  // Arabic, Persian and wide digits
    if (c >= zero && c <= zero + 9) {
      out.kind = Character::Kind::digit;
      out.digit = static_cast<char>('0' + (c - zero));
      return out;
    }
  if (!is_blank_or_dash(c) && !is_other_punctuation(c)) return out;
  out.kind = Character::Kind::separator;
  out.separator = is_blank_or_dash(c) ? ' ' : c;
  return out;
}

constexpr std::size_t separators_max = 3;

/// A run of digits, and what parts it from the one before: 0 if that is more than up to three separators of
/// one kind.
struct Group {
  std::string digits;
  char32_t separator = 0;
};

/// Whether the word of letters and digits at `at` is a hexadecimal one with letters, and where it ends.
bool is_hex_word(std::string_view text, std::size_t at, std::size_t& end) {
  bool letters = false, all_hex = true;
  for (end = at; end < text.size() && (is_digit(text[end]) || is_letter(text[end])); ++end) {
    letters |= is_letter(text[end]);
    all_hex &= is_hex(text[end]);
  }
  return letters && all_hex;
}

std::vector<Group> groups_of(std::string_view text) {
  std::vector<Group> groups;
  bool in_word = false, joins = false;
  std::size_t separators = 0;
  char32_t separator = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Character one = character_at(text, at);
    if (one.kind == Character::Kind::separator) {
      separator = separators++ == 0 ? one.separator : one.separator == separator ? separator : 0;
      in_word = false;
      at += one.size;
      continue;
    }
    if (!std::exchange(in_word, true)) {
      std::size_t end = at;
      std::size_t passed = uuid_at(text, at);
      if (passed == 0) passed = date_at(text, at);
      if (passed == 0 && is_hex_word(text, at, end)) passed = end - at;
      if (passed > 0) {
        joins = false;
        at += passed;
        continue;
      }
    }
    if (one.kind == Character::Kind::letter) {
      joins = false;
      separators = 0;
      at += one.size;
      continue;
    }
    Group group;
    group.separator = joins && separators >= 1 && separators <= separators_max ? separator : 0;
    for (; at < text.size(); at += character_at(text, at).size) {
      const Character next = character_at(text, at);
      if (next.kind != Character::Kind::digit) break;
      group.digits.push_back(next.digit);
    }
    groups.push_back(std::move(group));
    joins = true;
    separators = 0;
  }
  return groups;
}

}  // namespace

bool holds_card_number(std::string_view text) {
  if (text.size() < digits_min) return false;
  const std::vector<Group> groups = groups_of(text);
  for (std::size_t first = 0; first < groups.size(); ++first) {
    std::string digits;
    for (std::size_t i = first; i < groups.size(); ++i) {
      const bool fits =
          i == first || (groups[i].separator != 0 && groups[i].separator == groups[first + 1].separator);
      if (!fits) break;
      digits += groups[i].digits;
      if (digits.size() > digits_max) break;
      if (digits.size() >= digits_min && begins_like_a_card(digits) && passes_luhn(digits)) return true;
    }
  }
  return false;
}

}  // namespace orderd::intake
