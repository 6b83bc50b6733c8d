#include "plugin_host/loading/settings_check.h"

#include <rapidjson/document.h>
#include <rapidjson/schema.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <charconv>
#include <cstdlib>
#include <fstream>

#include "base/log.h"
#include "model/json.h"
#include "plugin_ports/error.h"

namespace orderd::plugins {
namespace {

constexpr std::size_t secret_bytes_max = 64 * 1024;

std::string to_json(const rapidjson::Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return buffer.GetString();
}

std::string type_of(const rapidjson::Value& property) {
  const bool given = property.IsObject() && property.HasMember("type") && property["type"].IsString();
  return given ? property["type"].GetString() : "string";
}
bool is_secret(const rapidjson::Value& property) {
  return property.IsObject() && property.HasMember("format") && property["format"] == "secret";
}

/// A text as the type that its schema wants; as it is if it is none, so that the validator says so.
rapidjson::Value typed(const std::string& text, const std::string& type, rapidjson::Document& owner) {
  const char* end = text.data() + text.size();
  if (type == "boolean" && (text == "yes" || text == "no")) return rapidjson::Value(text == "yes");
  if (type == "integer") {
    std::int64_t number = 0;
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc() && stop == end) return rapidjson::Value(number);
  }
  if (type == "number") {
    double number = 0;
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc() && stop == end) return rapidjson::Value(number);
  }
  return rapidjson::Value(text.c_str(), static_cast<rapidjson::SizeType>(text.size()), owner.GetAllocator());
}

std::string text_of(const rapidjson::Value& value) {
  if (value.IsString()) return value.GetString();
  if (value.IsBool()) return value.GetBool() ? "yes" : "no";
  return to_json(value);
}

class Check {
 public:
  Check(const std::string& instance, const Library& library, const char* schema)
      : instance_(instance), library_(library) {
    if (!json::parse(schema, schema_) || !schema_.IsObject())
      fail(instance_, library_.path, "its settings_schema is no JSON object",
           "report it to the plugin's vendor");
    static const rapidjson::Value none(rapidjson::kObjectType);
    const auto found = schema_.FindMember("properties");
    properties_ = found != schema_.MemberEnd() && found->value.IsObject() ? &found->value : &none;
  }

  CheckedSettings run(const std::map<std::string, std::string>& given,
                      const std::map<std::string, std::string>& secrets, bool older) {
    CheckedSettings out;
    for (const auto& property : properties_->GetObject())
      if (property.value.IsObject() && property.value.HasMember("default"))
        out.values[property.name.GetString()] = text_of(property.value["default"]);
    for (const auto& [key, text] : given) {
      if (secrets.contains(key)) continue;
      const auto property = properties_->FindMember(key.c_str());
      if (property == properties_->MemberEnd()) {
        if (is_left_out(key, older)) continue;
        out.values[key] = text;
      } else if (is_secret(property->value)) {
        out.secrets.push_back(out.values[key] = resolved(key, text));
      } else {
        judge(key, text, property->value);
        out.values[key] = text;
      }
    }
    for (const auto& [key, text] : secrets) {
      const auto property = properties_->FindMember(key.c_str());
      if (property == properties_->MemberEnd() && is_left_out(key, older)) continue;
      out.secrets.push_back(out.values[key] = text);
    }
    judge_whole(out.values);
    return out;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    fail(instance_, library_.path, what, "correct plugin." + instance_ + ".settings");
  }

  /// Judges a key that the schema does not name; throws unless it takes others, too.
  bool is_left_out(const std::string& key, bool older) const {
    const auto closed = schema_.FindMember("additionalProperties");
    if (closed == schema_.MemberEnd() || !closed->value.IsFalse()) return false;
    if (older) {
      log_warning("plugin", "a setting is left out: the build is older than it",
                  {{"instance", instance_}, {"setting", key}, {"digest", library_.digest}});
      return true;
    }
    std::string known;
    for (const auto& property : properties_->GetObject())
      known += " " + std::string(property.name.GetString());
    refuse("setting \"" + key + "\" is unknown; known are" + (known.empty() ? " none" : known));
  }

  void judge(const std::string& key, const std::string& text, const rapidjson::Value& property) const {
    rapidjson::Document owner;
    const rapidjson::Value value = typed(text, type_of(property), owner);
    const rapidjson::SchemaDocument schema(property);
    rapidjson::SchemaValidator validator(schema);
    if (!value.Accept(validator))
      refuse("setting \"" + key + "\" is \"" + text + "\": expected " + expectation(property));
  }

  /// "integer, minimum 1, maximum 1000 (how many pieces pass)".
  static std::string expectation(const rapidjson::Value& property) {
    std::string text = type_of(property) == "boolean" ? "yes or no" : type_of(property);
    for (const auto& member : property.GetObject()) {
      const std::string name = member.name.GetString();
      if (name != "type" && name != "description" && name != "default")
        text += ", " + name + " " + text_of(member.value);
    }
    if (property.HasMember("description")) text += " (" + text_of(property["description"]) + ")";
    return text;
  }

  void judge_whole(const std::map<std::string, std::string>& values) const {
    rapidjson::Document document(rapidjson::kObjectType);
    for (const auto& [key, text] : values) {
      const auto property = properties_->FindMember(key.c_str());
      const std::string type = property == properties_->MemberEnd() ? "string" : type_of(property->value);
      document.AddMember(rapidjson::Value(key.c_str(), document.GetAllocator()), typed(text, type, document),
                         document.GetAllocator());
    }
    const auto required = schema_.FindMember("required");
    if (required != schema_.MemberEnd() && required->value.IsArray())
      for (const auto& key : required->value.GetArray())
        if (key.IsString() && !document.HasMember(key))
          refuse("setting \"" + std::string(key.GetString()) + "\" is missing");
    const rapidjson::SchemaDocument schema(schema_);
    rapidjson::SchemaValidator validator(schema);
    if (!document.Accept(validator))
      refuse("its settings together break its schema's \"" +
             std::string(validator.GetInvalidSchemaKeyword()) + "\"");
  }

  std::string resolved(const std::string& key, const std::string& reference) const {
    if (reference.rfind("env:", 0) == 0) {
      const char* value = std::getenv(reference.c_str() + 4);
      if (value && *value) return value;
      refuse("secret \"" + key + "\": the variable " + reference.substr(4) + " is not set");
    }
    if (reference.rfind("file:", 0) != 0)
      refuse("secret \"" + key + "\" is written out: give file:/path or env:NAME instead");
    std::ifstream file(reference.substr(5), std::ios::binary);
    std::string value(secret_bytes_max + 1, '\0');
    file.read(value.data(), static_cast<std::streamsize>(value.size()));
    value.resize(static_cast<std::size_t>(file.gcount()));
    if (!value.empty() && value.back() == '\n') value.pop_back();
    if (!value.empty() && value.back() == '\r') value.pop_back();
    if (value.empty() || value.size() > secret_bytes_max)
      refuse("secret \"" + key + "\": " + reference.substr(5) + " cannot be read, is empty or too large");
    return value;
  }

  const std::string& instance_;
  const Library& library_;
  rapidjson::Document schema_;
  const rapidjson::Value* properties_ = nullptr;
};

/// For a plugin that declares nothing.
CheckedSettings as_they_are(const std::map<std::string, std::string>& given,
                            const std::map<std::string, std::string>& secrets) {
  CheckedSettings out{given, {}};
  for (const auto& [key, text] : secrets) out.secrets.push_back(out.values[key] = text);
  return out;
}

}  // namespace

CheckedSettings check_settings(const std::string& instance, const Library& library,
                               const std::map<std::string, std::string>& given,
                               const std::map<std::string, std::string>& secrets, bool older) {
  const orderd_descriptor* descriptor = library.descriptor;
  if (!ORDERD_HAS(descriptor, orderd_descriptor, settings_schema) || !descriptor->settings_schema)
    return as_they_are(given, secrets);
  return Check(instance, library, descriptor->settings_schema).run(given, secrets, older);
}

}  // namespace orderd::plugins
