#include "intake/checker.h"

#include <algorithm>

namespace orderd::intake {
namespace {

/// U+0000–U+001F and U+007F: nobody types them, and terminals obey them.
bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string pointer_step(std::string_view name) {
  std::string out = "/";
  for (const char c : name) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

void Checker::error(std::string pointer, std::string message) {
  if (errors_.size() < errors_max) errors_.push_back({std::move(pointer), std::move(message)});
}

void Checker::known_only(const json::Value& object, const std::string& at,
                         std::initializer_list<std::string_view> known) {
  for (const auto& member : object.GetObject()) {
    const std::string_view name(member.name.GetString(), member.name.GetStringLength());
    if (std::find(known.begin(), known.end(), name) == known.end())
      error(at + pointer_step(name), "unknown field; only metadata takes fields of your own");
  }
}

const json::Value* Checker::object(const json::Value& value, const std::string& at) {
  if (value.IsObject()) return &value;
  error(at, "must be an object");
  return nullptr;
}

const json::Value* Checker::member(const json::Value& object, const std::string& at, const char* name,
                                   Presence presence) {
  const auto found = object.FindMember(name);
  if (found != object.MemberEnd()) return &found->value;
  if (presence == Presence::required) error(at + pointer_step(name), "is missing");
  return nullptr;
}

std::string Checker::text(const json::Value& object, const std::string& at, const char* name,
                          Presence presence) {
  const json::Value* value = member(object, at, name, presence);
  if (!value) return {};
  const std::string where = at + pointer_step(name);
  if (!value->IsString()) return error(where, "must be a string"), std::string();
  const std::string_view text(value->GetString(), value->GetStringLength());
  const std::size_t size = characters(text);
  if (size < 1 || size > text_characters_max)
    return error(where, "must have 1 to " + std::to_string(text_characters_max) + " characters, has " +
                            std::to_string(size)),
           std::string();
  if (has_control(text)) return error(where, "must not contain control characters"), std::string();
  return std::string(text);
}

std::optional<std::int64_t> Checker::integer(const json::Value& object, const std::string& at,
                                             const char* name, Range range) {
  const json::Value* value = member(object, at, name, Presence::required);
  if (!value) return std::nullopt;
  const std::string where = at + pointer_step(name);
  const std::string limits = std::to_string(range.min) + " to " + std::to_string(range.max);
  if (!value->IsNumber()) return error(where, "must be an integer from " + limits), std::nullopt;
  if (!value->IsInt64() && !value->IsUint64())
    return error(where, "must be an integer from " + limits + ", without fraction or exponent"), std::nullopt;
  if (!value->IsInt64() || value->GetInt64() < range.min || value->GetInt64() > range.max)
    return error(where, "must be from " + limits), std::nullopt;
  return value->GetInt64();
}

}  // namespace orderd::intake
