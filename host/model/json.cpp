#include "model/json.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <vector>

#include "base/utf8.h"

namespace orderd::json {
namespace {

constexpr unsigned strict_flags = rapidjson::kParseValidateEncodingFlag | rapidjson::kParseIterativeFlag |
                                  rapidjson::kParseFullPrecisionFlag;

/// A decimal number's digits without zeros around them, and the power of ten of the last one.
struct Decimal {
  std::string digits;
  std::int64_t power = 0;
  bool operator==(const Decimal&) const = default;
};

/// The digits of a number as JSON writes it, without its sign.
Decimal decimal_of(std::string_view text) {
  Decimal out;
  std::size_t at = 0;
  for (bool behind = false; at < text.size() && text[at] != 'e' && text[at] != 'E'; ++at) {
    if (text[at] == '.') behind = true;
    if (text[at] < '0' || text[at] > '9') continue;
    out.digits.push_back(text[at]);
    out.power -= behind;
  }
  if (at < text.size()) {
    const std::size_t first = at + (text.substr(at + 1, 1) == "+" ? 2 : 1);
    std::int64_t exponent = 0;
    (void)std::from_chars(text.data() + first, text.data() + text.size(), exponent);
    out.power += std::clamp<std::int64_t>(exponent, -1'000'000'000, 1'000'000'000);
  }
  out.digits.erase(0, out.digits.find_first_not_of('0'));
  while (!out.digits.empty() && out.digits.back() == '0') {
    out.digits.pop_back();
    ++out.power;
  }
  if (out.digits.empty()) out.power = 0;
  return out;
}

/// Whether a number as written is the number that is kept: one of more digits than a double has is another.
bool is_exact(std::string_view text, double kept) {
  char shortest[32];
  const auto end =
      std::to_chars(shortest, shortest + sizeof shortest, kept, std::chars_format::scientific).ptr;
  return decimal_of(text) == decimal_of({shortest, static_cast<std::size_t>(end - shortest)});
}

/// Passes the parser's events on to a Document and stops at what a Document would accept silently.
class StrictHandler {
 public:
  StrictHandler(Document& document, std::size_t depth_max, Problem& problem, std::string_view text,
                const rapidjson::MemoryStream& stream)
      : document_(document), depth_max_(depth_max), problem_(problem), text_(text), stream_(stream) {}
  bool Null() { return next() && document_.Null(); }
  bool Bool(bool v) { return next() && document_.Bool(v); }
  bool Int(int v) { return next() && document_.Int(v); }
  bool Uint(unsigned v) { return next() && document_.Uint(v); }
  bool Int64(std::int64_t v) { return next() && document_.Int64(v); }
  bool Uint64(std::uint64_t v) { return next() && document_.Uint64(v); }
  bool Double(double v) { return next() && keeps(v) && document_.Double(v); }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return false; }
  bool String(const char* text, rapidjson::SizeType size, bool copy) {
    return next() && is_text({text, size}) && document_.String(text, size, copy);
  }
  bool StartObject() { return next() && enter(false) && document_.StartObject(); }
  bool StartArray() { return next() && enter(true) && document_.StartArray(); }
  bool Key(const char* text, rapidjson::SizeType size, bool copy) {
    Level& level = levels_.back();
    level.name.assign(text, size);
    if (!is_text({text, size})) return false;
    if (!level.seen.insert(level.name).second) return fail("the name is there twice");
    return document_.Key(text, size, copy);
  }
  bool EndObject(rapidjson::SizeType count) {
    levels_.pop_back();
    return document_.EndObject(count);
  }
  bool EndArray(rapidjson::SizeType count) {
    levels_.pop_back();
    return document_.EndArray(count);
  }

 private:
  struct Level {
    bool array = false;
    std::int64_t index = -1;
    std::string name;
    std::set<std::string> seen;  // a body of tens of thousands of names must stay cheap
  };
  bool next() {
    if (!levels_.empty() && levels_.back().array) ++levels_.back().index;
    return true;
  }
  bool enter(bool array) {
    if (levels_.size() >= depth_max_)
      return fail("nested deeper than " + std::to_string(depth_max_) + " levels");
    levels_.push_back({array, -1, {}, {}});
    return true;
  }
  /// An escape may have made what no UTF-8 is: \udc00 without a \ud800 before it (RFC 8259, section 8.2).
  bool is_text(std::string_view text) {
    if (text.find('\0') != text.npos) return fail("text must not contain NUL");
    return is_utf8(text) || fail("text must not contain a lone surrogate");
  }
  /// The number's text ends where the parser is.
  bool keeps(double value) {
    if (text_.empty()) return true;
    const std::string_view before = text_.substr(0, stream_.Tell());
    const auto last = before.find_last_of("0123456789");
    const auto first = before.substr(0, last + 1).find_last_not_of("0123456789+-.eE") + 1;
    const std::string_view number = before.substr(first, last + 1 - first);
    if (is_exact(number, value)) return true;
    problem_.inexact = true;
    return fail("the number " + std::string(number.substr(0, 40)) + (number.size() > 40 ? "..." : "") +
                " has more digits than can be kept exactly: send it as a text");
  }
  bool fail(std::string message) {
    problem_.message = std::move(message);
    problem_.pointer.clear();
    for (const Level& level : levels_) {
      problem_.pointer.push_back('/');
      if (level.array) {
        problem_.pointer += std::to_string(level.index);
        continue;
      }
      for (const char c : level.name)
        problem_.pointer += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    }
    return false;
  }
  Document& document_;
  const std::size_t depth_max_;
  Problem& problem_;
  const std::string_view text_;  // "": whatever a double makes of a number will do
  const rapidjson::MemoryStream& stream_;
  std::vector<Level> levels_;
};

/// Whoever walks through a document does so by recursion: one that is too deep must never be one.
bool is_deeper(std::string_view text, std::size_t depth_max) {
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\')
      ++i;
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && (c == '[' || c == '{') && ++depth > depth_max)
      return true;
    else if (!quoted && (c == ']' || c == '}') && depth > 0)
      --depth;
  }
  return false;
}

}  // namespace

bool parse_strict(std::string_view text, std::size_t depth_max, Document& document, Problem& problem,
                  bool exact) {
  problem = {};
  if (text.find('\0') != std::string_view::npos) return problem.message = "not JSON: a NUL byte", false;
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::Reader reader;
  const auto generate = [&](Document& handler) {
    StrictHandler strict(handler, depth_max, problem, exact ? text : std::string_view(), stream);
    return !reader.Parse<strict_flags>(stream, strict).IsError();
  };
  document.Populate(generate);
  if (!reader.HasParseError()) return true;
  document.SetNull();
  if (problem.message.empty())
    problem.message = std::string("not JSON at byte ") + std::to_string(reader.GetErrorOffset()) + ": " +
                      rapidjson::GetParseError_En(reader.GetParseErrorCode());
  return false;
}

bool parse(std::string_view text, Document& document) {
  if (is_deeper(text, own_depth_max)) return document.SetNull(), false;
  constexpr unsigned flags = rapidjson::kParseFullPrecisionFlag | rapidjson::kParseIterativeFlag;
  return !document.Parse<flags>(text.data(), text.size()).HasParseError();
}

std::string_view string(const Value& object, const char* name, std::string_view fallback) {
  const auto found = object.FindMember(name);
  if (found == object.MemberEnd() || !found->value.IsString()) return fallback;
  return {found->value.GetString(), found->value.GetStringLength()};
}

std::int64_t integer(const Value& object, const char* name, std::int64_t fallback) {
  const auto found = object.FindMember(name);
  return found == object.MemberEnd() || !found->value.IsInt64() ? fallback : found->value.GetInt64();
}

bool boolean(const Value& object, const char* name, bool fallback) {
  const auto found = object.FindMember(name);
  return found == object.MemberEnd() || !found->value.IsBool() ? fallback : found->value.GetBool();
}

const Value* child(const Value& object, const char* name) {
  const auto found = object.FindMember(name);
  if (found == object.MemberEnd() || (!found->value.IsObject() && !found->value.IsArray())) return nullptr;
  return &found->value;
}

std::string to_text(const Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

void append_string(std::string& out, std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef", replacement[] = "\xef\xbf\xbd";  // U+FFFD
  out.push_back('"');
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) {
      const std::size_t size = utf8_size_at(text, i);
      out += size == 0 ? std::string_view(replacement) : text.substr(i, size);
      i += size == 0 ? 0 : size - 1;
    } else if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20) {
      out += "\\u00";
      out.push_back(digits[byte >> 4]);
      out.push_back(digits[byte & 15]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

void Object::key(std::string_view name) {
  if (!first_) out_.push_back(',');
  first_ = false;
  out_.push_back('"');
  out_.append(name).append("\":");
}

Object& Object::add(std::string_view name, std::string_view value) {
  key(name);
  append_string(out_, value);
  return *this;
}

Object& Object::add(std::string_view name, std::int64_t value) {
  key(name);
  char text[24];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  out_.append(text, end);
  return *this;
}

Object& Object::add(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }

Object& Object::raw(std::string_view name, std::string_view json) {
  key(name);
  out_.append(json);
  return *this;
}

}  // namespace orderd::json
