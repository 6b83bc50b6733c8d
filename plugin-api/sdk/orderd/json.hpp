// JSON for plugins: read into values whose numbers stay as they were written, and written.
//
//   const auto answer = Json::parse(response.body());
//   const Json* amount = answer ? answer->find("amount") : nullptr;  // {"value": "19.90", "currency": "EUR"}
#ifndef ORDERD_SDK_JSON_HPP
#define ORDERD_SDK_JSON_HPP

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "json_writer.hpp"

namespace orderd::sdk {

/// A value that owns what it holds. Each question answers for its own kind, and is empty for any other.
class Json {
 public:
  enum class Kind { null, boolean, number, text, array, object };
  /// RFC 8259; nullopt for what is none, names a member twice, or is deeper than 32 levels.
  static std::optional<Json> parse(std::string_view text) {
    Json value;
    skip_space(text);
    if (!value.take(text, 0)) return std::nullopt;
    skip_space(text);
    return text.empty() ? std::optional(std::move(value)) : std::nullopt;
  }

  Kind kind() const { return kind_; }
  /// A member of an object, or NULL.
  const Json* find(std::string_view name) const {
    for (const auto& [own, value] : members_)
      if (kind_ == Kind::object && own == name) return &value;
    return nullptr;
  }
  /// Of an object: names and values as they stood. Of an array: values without names.
  const std::vector<std::pair<std::string, Json>>& members() const { return members_; }
  std::optional<std::string_view> text() const {
    return kind_ == Kind::text ? std::optional<std::string_view>(own_) : std::nullopt;
  }
  /// A number as it was written, "19.90": never through floating point. See decimal.hpp.
  std::optional<std::string_view> number() const {
    return kind_ == Kind::number ? std::optional<std::string_view>(own_) : std::nullopt;
  }
  /// A number without fraction and exponent, within 64 bits.
  std::optional<std::int64_t> integer() const {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(own_.data(), own_.data() + own_.size(), value);
    const bool whole = kind_ == Kind::number && error == std::errc() && end == own_.data() + own_.size();
    return whole ? std::optional(value) : std::nullopt;
  }
  std::optional<bool> boolean() const {
    return kind_ == Kind::boolean ? std::optional(own_ == "true") : std::nullopt;
  }

 private:
  static constexpr int depth_max = 32;

  static void skip_space(std::string_view& rest) {
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t\n\r"), rest.size()));
  }
  static bool take_digits(std::string_view& rest) {
    const std::size_t count = std::min(rest.find_first_not_of("0123456789"), rest.size());
    rest.remove_prefix(count);
    return count > 0;
  }
  static bool take_number(std::string_view& rest) {
    take_word(rest, "-");
    if (!take_word(rest, "0") && !take_digits(rest)) return false;
    if (take_word(rest, ".") && !take_digits(rest)) return false;
    if (!take_word(rest, "e") && !take_word(rest, "E")) return true;
    if (!take_word(rest, "+")) take_word(rest, "-");
    return take_digits(rest);
  }
  bool take_members(std::string_view& rest, const char end, int depth) {
    rest.remove_prefix(1);
    skip_space(rest);
    if (take_word(rest, {&end, 1})) return true;
    do {
      auto& [name, value] = members_.emplace_back();
      skip_space(rest);
      if (end == '}') {
        std::string own;
        if (!take_json_string(rest, own) || find(own)) return false;
        name = std::move(own);
        skip_space(rest);
        if (!take_word(rest, ":")) return false;
        skip_space(rest);
      }
      if (!value.take(rest, depth)) return false;
      skip_space(rest);
    } while (take_word(rest, ","));
    return take_word(rest, {&end, 1});
  }
  bool take(std::string_view& rest, int depth) {
    const char first = rest.empty() ? '\0' : rest[0];
    if (first == '{' || first == '[') {
      kind_ = first == '{' ? Kind::object : Kind::array;
      return depth < depth_max && take_members(rest, first == '{' ? '}' : ']', depth + 1);
    }
    if (first == '"') return kind_ = Kind::text, take_json_string(rest, own_);
    const std::string_view from = rest;
    if (take_word(rest, "null")) return true;
    kind_ = first == 't' || first == 'f' ? Kind::boolean : Kind::number;
    const bool whole =
        kind_ == Kind::boolean ? take_word(rest, "true") || take_word(rest, "false") : take_number(rest);
    own_ = from.substr(0, from.size() - rest.size());
    return whole;
  }

  Kind kind_ = Kind::null;
  std::string own_;
  std::vector<std::pair<std::string, Json>> members_;
};

}  // namespace orderd::sdk
#endif
