#include "schema.h"

#include <rapidjson/document.h>
#include <rapidjson/schema.h>
#include <regex.h>

#include <set>

namespace orderd::checker {
namespace {

std::string text_of(const rapidjson::Value& value) {
  if (value.IsString()) return value.GetString();
  if (value.IsBool()) return value.GetBool() ? "yes" : "no";
  if (value.IsInt64()) return std::to_string(value.GetInt64());
  return value.IsNumber() ? std::to_string(value.GetDouble()) : "";
}

/// Of JSON Schema, draft 4: a typo in one would be a rule that nobody keeps.
std::string keyword_problem(const rapidjson::Value& object, bool whole) {
  static const std::set<std::string> both{"type",  "title", "description", "enum",
                                          "allOf", "anyOf", "oneOf",       "not"};
  static const std::set<std::string> of_whole{
      "$schema",           "id",         "properties",    "additionalProperties",
      "patternProperties", "required",   "minProperties", "maxProperties",
      "dependencies",      "definitions"};
  static const std::set<std::string> of_property{
      "default", "format",  "pattern",          "minLength",        "maxLength",
      "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"};
  for (const auto& member : object.GetObject()) {
    const std::string name = member.name.GetString();
    if (both.count(name) + (whole ? of_whole : of_property).count(name) == 0)
      return "the keyword \"" + name + "\" means nothing there in JSON Schema, draft 4";
  }
  return "";
}

/// RapidJSON, which will match by it, asserts where parentheses do not fit; POSIX's compiler answers.
bool is_pattern(const char* text) {
  regex_t posix;
  if (regcomp(&posix, text, REG_EXTENDED | REG_NOSUB) != 0) return false;
  regfree(&posix);
  return rapidjson::internal::GenericRegex<rapidjson::UTF8<>>(text).IsValid();
}

/// Of a pattern that compiles, and a default that the property itself would take.
std::string value_problem(const std::string& name, const rapidjson::Value& property) {
  const auto pattern = property.FindMember("pattern");
  if (pattern != property.MemberEnd()) {
    if (!pattern->value.IsString() || !is_pattern(pattern->value.GetString()))
      return "property \"" + name + "\" has a pattern that is no regular expression";
  }
  const auto given = property.FindMember("default");
  if (given == property.MemberEnd()) return "";
  const rapidjson::SchemaDocument schema(property);
  rapidjson::SchemaValidator validator(schema);
  return given->value.Accept(validator) ? "" : "property \"" + name + "\" would refuse its own default";
}

std::string property_problem(const std::string& name, const rapidjson::Value& property) {
  if (!property.IsObject() || !property.HasMember("type") || !property["type"].IsString())
    return "property \"" + name + "\" has no \"type\"";
  const std::string type = property["type"].GetString();
  if (type != "string" && type != "integer" && type != "number" && type != "boolean")
    return "property \"" + name + "\" is a \"" + type + "\": settings are string, integer, number or boolean";
  const bool secret = property.HasMember("format") && property["format"] == "secret";
  if (secret && type != "string") return "property \"" + name + "\" is a secret and no string";
  if (secret && property.HasMember("default")) return "property \"" + name + "\" is a secret with a default";
  if (auto problem = keyword_problem(property, false); !problem.empty())
    return "property \"" + name + "\": " + problem;
  return value_problem(name, property);
}

}  // namespace

std::string schema_of(const orderd_descriptor* descriptor) {
  const bool has = ORDERD_HAS(descriptor, orderd_descriptor, settings_schema) && descriptor->settings_schema;
  return has ? descriptor->settings_schema : "";
}

std::string schema_problem(const std::string& schema) {
  rapidjson::Document document;
  document.Parse(schema.c_str());
  if (document.HasParseError())
    return "it is no JSON (at byte " + std::to_string(document.GetErrorOffset()) + ")";
  if (!document.IsObject() || !document.HasMember("type") || document["type"] != "object")
    return "it is no schema of an object: \"type\" must be \"object\"";
  if (auto problem = keyword_problem(document, true); !problem.empty()) return problem;
  if (!is_closed(schema)) return "\"additionalProperties\" is not false: a typo would be silent";
  if (!document.HasMember("properties")) return "";
  if (!document["properties"].IsObject()) return "\"properties\" is no object";
  for (const auto& property : document["properties"].GetObject())
    if (auto problem = property_problem(property.name.GetString(), property.value); !problem.empty())
      return problem;
  return "";
}

std::map<std::string, std::string> defaults_of(const std::string& schema) {
  std::map<std::string, std::string> defaults;
  rapidjson::Document document;
  document.Parse(schema.c_str());
  if (!document.IsObject() || !document.HasMember("properties") || !document["properties"].IsObject())
    return defaults;
  for (const auto& property : document["properties"].GetObject())
    if (property.value.IsObject() && property.value.HasMember("default"))
      defaults[property.name.GetString()] = text_of(property.value["default"]);
  return defaults;
}

bool is_closed(const std::string& schema) {
  rapidjson::Document document;
  document.Parse(schema.c_str());
  return document.IsObject() && document.HasMember("additionalProperties") &&
         document["additionalProperties"].IsFalse();
}

}  // namespace orderd::checker
