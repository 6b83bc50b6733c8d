#include "http/query.h"

#include <algorithm>
#include <charconv>

#include "base/sha256.h"
#include "base/utf8.h"

namespace orderd::http {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
      if (low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  if (out.find('\0') != out.npos || !is_utf8(out)) return std::nullopt;
  return out;
}

Query::Query(std::string_view query, std::initializer_list<std::string_view> known) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto part = query.substr(0, end);
    query = end == query.npos ? std::string_view() : query.substr(end + 1);
    if (part.empty()) continue;
    const auto equals = part.find('=');
    const auto name = percent_decode(part.substr(0, equals));
    const auto value = percent_decode(equals == part.npos ? std::string_view() : part.substr(equals + 1));
    const auto is_it = [&](const auto& one) { return one.first == *name; };
    if (!name || !value)
      error(name.value_or(""), "is not valid percent-encoded UTF-8");
    else if (std::find(known.begin(), known.end(), *name) == known.end())
      error(*name, "unknown parameter");
    else if (std::any_of(parameters_.begin(), parameters_.end(), is_it))
      error(*name, "is there twice");
    else
      parameters_.emplace_back(*name, *value);
  }
}

void Query::error(std::string_view name, std::string message) {
  if (errors_.size() < intake::errors_max) errors_.push_back({"/" + std::string(name), std::move(message)});
}

std::optional<std::string> Query::text(std::string_view name) {
  for (const auto& [known, value] : parameters_)
    if (known == name) return value;
  return std::nullopt;
}

std::int64_t Query::integer(std::string_view name, const Limits& limits) {
  const auto value = text(name);
  if (!value) return limits.fallback;
  std::int64_t number = 0;
  const char* end = value->data() + value->size();
  const auto parsed = std::from_chars(value->data(), end, number);
  if (parsed.ec == std::errc() && parsed.ptr == end && number >= limits.min && number <= limits.max)
    return number;
  error(name,
        "must be a whole number from " + std::to_string(limits.min) + " to " + std::to_string(limits.max));
  return limits.fallback;
}

std::optional<Time> Query::time(std::string_view name) {
  const auto value = text(name);
  if (!value) return std::nullopt;
  const auto parsed = parse_rfc3339(*value);
  if (!parsed) error(name, "must be a time as RFC 3339 has it, such as 2026-01-31T12:00:00Z");
  return parsed;
}

std::string make_cursor(char kind, std::string_view text) { return to_base64url(kind + std::string(text)); }

std::optional<std::string> read_cursor(char kind, std::string_view cursor) {
  const std::string bytes = from_base64url(cursor);
  if (bytes.empty() || bytes[0] != kind || make_cursor(kind, std::string_view(bytes).substr(1)) != cursor)
    return std::nullopt;
  return bytes.substr(1);
}

}  // namespace orderd::http
