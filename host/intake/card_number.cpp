#include "intake/card_number.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

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

/// A run of digits and how it hangs together with the one before.
struct Group {
  std::string_view digits;
  bool joined = false;  // only one space or dash lies between it and the group before
};

std::vector<Group> groups_of(std::string_view text) {
  std::vector<Group> groups;
  std::size_t end_of_last = text.npos;
  for (std::size_t at = 0; at < text.size();) {
    if (!is_digit(text[at]) && !is_letter(text[at])) {
      ++at;
      continue;
    }
    if (const std::size_t size = uuid_at(text, at)) {
      at += size;
      continue;
    }
    std::size_t word_end = at;
    bool letters = false, all_hex = true;
    for (; word_end < text.size() && (is_digit(text[word_end]) || is_letter(text[word_end])); ++word_end) {
      letters |= is_letter(text[word_end]);
      all_hex &= is_hex(text[word_end]);
    }
    for (std::size_t i = at; i < word_end && !(letters && all_hex);) {
      if (!is_digit(text[i])) {
        ++i;
        continue;
      }
      std::size_t end = i;
      while (end < word_end && is_digit(text[end])) ++end;
      const bool joined = end_of_last != text.npos && i == end_of_last + 1 &&
                          (text[end_of_last] == ' ' || text[end_of_last] == '-');
      groups.push_back({text.substr(i, end - i), joined});
      end_of_last = end;
      i = end;
    }
    at = word_end;
  }
  return groups;
}

}  // namespace

bool holds_card_number(std::string_view text) {
  if (text.size() < digits_min) return false;
  const std::vector<Group> groups = groups_of(text);
  for (std::size_t first = 0; first < groups.size(); ++first) {
    std::string digits;
    for (std::size_t i = first; i < groups.size() && (i == first || groups[i].joined); ++i) {
      digits += groups[i].digits;
      if (digits.size() > digits_max) break;
      if (digits.size() >= digits_min && begins_like_a_card(digits) && passes_luhn(digits)) return true;
    }
  }
  return false;
}

}  // namespace orderd::intake
