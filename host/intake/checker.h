#pragma once
// The one way fields of a request are read: each reader notes what is wrong under the field's pointer and
// goes on, so that a client sees everything at once. Used by validate.cpp and within one call.
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "intake/validate.h"
#include "model/json.h"

namespace orderd::intake {

/// Code points of valid UTF-8.
std::size_t characters(std::string_view text);

/// Strict JSON with an object at its root, and no payment card number anywhere in it; nullopt if it is.
std::optional<Invalid> parse_request(std::string_view text, json::Document& document);

class Checker {
 public:
  void error(std::string pointer, std::string message);
  const std::vector<FieldError>& errors() const { return errors_; }
  std::vector<FieldError> take() { return std::move(errors_); }

  /// Refuses every member of `object` that is not in `known`.
  void known_only(const json::Value& object, const std::string& at,
                  std::initializer_list<std::string_view> known);
  /// nullptr and an error if `value` is no object.
  const json::Value* object(const json::Value& value, const std::string& at);

  /// A member of `object`; nullptr if it is absent, with an error if it is `required`.
  enum class Presence { required, optional };
  const json::Value* member(const json::Value& object, const std::string& at, const char* name,
                            Presence presence);
  /// A text of 1–200 characters without control characters; "" if it is absent or wrong.
  std::string text(const json::Value& object, const std::string& at, const char* name, Presence presence);
  struct Range {
    std::int64_t min, max;
  };
  /// A whole number within `range`; nullopt if it is absent or wrong.
  std::optional<std::int64_t> integer(const json::Value& object, const std::string& at, const char* name,
                                      Range range);

 private:
  std::vector<FieldError> errors_;
};

/// `name` as one step of a JSON pointer (RFC 6901, section 3).
std::string pointer_step(std::string_view name);

}  // namespace orderd::intake
