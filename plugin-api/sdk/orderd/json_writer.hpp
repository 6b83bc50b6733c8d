// Writes one JSON object.
#ifndef ORDERD_SDK_JSON_WRITER_HPP
#define ORDERD_SDK_JSON_WRITER_HPP

#include <cstdint>

#include "json_text.hpp"

namespace orderd::sdk {

/// Names are the caller's to keep apart. Texts are UTF-8.
class JsonWriter {
 public:
  JsonWriter& add(std::string_view name, std::string_view value) { return raw(name, json_text(value)); }
  JsonWriter& add(std::string_view name, const char* value) { return add(name, std::string_view(value)); }
  JsonWriter& add(std::string_view name, std::int64_t value) { return raw(name, std::to_string(value)); }
  JsonWriter& add(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
  /// A value that is JSON already: another writer's text(), an array.
  JsonWriter& raw(std::string_view name, std::string_view json) {
    if (!members_.empty()) members_ += ',';
    members_.append(json_text(name)).append(":").append(json);
    return *this;
  }
  std::string text() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

}  // namespace orderd::sdk
#endif
