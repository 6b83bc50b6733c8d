#pragma once
// Reading Stripe's JSON: what is absent, null or of another type reads as empty. Pure.
#include <rapidjson/document.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace stripe {

using Json = rapidjson::Value;

inline const Json* member(const Json& object, const char* name) {
  if (!object.IsObject()) return nullptr;
  const auto found = object.FindMember(name);
  return found == object.MemberEnd() || found->value.IsNull() ? nullptr : &found->value;
}
inline std::string text(const Json& object, const char* name) {
  const Json* value = member(object, name);
  return value && value->IsString() ? std::string(value->GetString(), value->GetStringLength()) : "";
}
inline std::int64_t number(const Json& object, const char* name) {
  const Json* value = member(object, name);
  return value && value->IsInt64() ? value->GetInt64() : 0;
}
inline bool flag(const Json& object, const char* name) {
  const Json* value = member(object, name);
  return value && value->IsBool() && value->GetBool();
}
/// The object behind a member; nullptr if there is none.
inline const Json* object_at(const Json& object, const char* name) {
  const Json* value = member(object, name);
  return value && value->IsObject() ? value : nullptr;
}
/// The array behind a member; nullptr if there is none.
inline const Json* array_at(const Json& object, const char* name) {
  const Json* value = member(object, name);
  return value && value->IsArray() ? value : nullptr;
}
/// False unless the text is one JSON object. However deep it nests, the stack does not grow.
inline bool parse_object(std::string_view body, rapidjson::Document& out) {
  out.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(body.data(), body.size());
  return !out.HasParseError() && out.IsObject();
}

}  // namespace stripe
