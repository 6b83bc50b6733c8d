#pragma once
// JSON by RapidJSON, the one place that includes it. Reading is strict where outside text comes in: no
// duplicate names, no NUL, valid UTF-8 only, a depth limit, and on demand no number that would become another
// one. Writing appends to a string.
#include <rapidjson/document.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace orderd::json {

using Value = rapidjson::Value;
using Document = rapidjson::Document;

struct Problem {
  std::string pointer;  // RFC 6901, "" for the document
  std::string message;
  bool inexact = false;  // it is JSON, with a number that cannot be kept
};

/// Parses text from outside. False: `problem` says where and why. `depth_max` counts nested objects and
/// arrays.
/// `exact`: a number that has more digits than 64 bits or a double keep is a problem, too.
[[nodiscard]] bool parse_strict(std::string_view text, std::size_t depth_max, Document& document,
                                Problem& problem, bool exact = false);
/// What this project writes wraps texts from outside (32 levels) into a few of its own.
inline constexpr std::size_t own_depth_max = 48;
/// Parses text that this project wrote itself; false if it is damaged, or nested deeper than `own_depth_max`.
[[nodiscard]] bool parse(std::string_view text, Document& document);

/// Members of an object, with a default when absent or of another type. `string` views into the document.
std::string_view string(const Value& object, const char* name, std::string_view fallback = {});
std::int64_t integer(const Value& object, const char* name, std::int64_t fallback = 0);
bool boolean(const Value& object, const char* name, bool fallback = false);
/// nullptr when absent or not an object or array.
const Value* child(const Value& object, const char* name);

/// The value as JSON text.
std::string to_text(const Value& value);
/// Appends `text` as a JSON string, quotes included. What is no UTF-8 in it becomes U+FFFD: nothing that
/// readers or PostgreSQL refuse gets into what is written.
void append_string(std::string& out, std::string_view text);

/// Writes one object member by member: `Object o(out); o.add("id", id); o.raw("items", json); o.end();`
class Object {
 public:
  explicit Object(std::string& out) : out_(out) { out_.push_back('{'); }
  Object& add(std::string_view name, std::string_view value);
  Object& add(std::string_view name, const std::string& value) { return add(name, std::string_view(value)); }
  Object& add(std::string_view name, const char* value) { return add(name, std::string_view(value)); }
  Object& add(std::string_view name, std::int64_t value);
  Object& add(std::string_view name, std::int32_t value) {
    return add(name, static_cast<std::int64_t>(value));
  }
  Object& add(std::string_view name, std::uint32_t value) {
    return add(name, static_cast<std::int64_t>(value));
  }
  Object& add(std::string_view name, bool value);
  /// `json` is a whole JSON value: "null", "[]", "{…}".
  Object& raw(std::string_view name, std::string_view json);
  void end() { out_.push_back('}'); }

 private:
  void key(std::string_view name);
  std::string& out_;
  bool first_ = true;
};

}  // namespace orderd::json
