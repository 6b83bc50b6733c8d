#pragma once
// A query string, read strictly: what is not understood is refused, so that a typo does not silently widen a list. Pure.
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "intake/validate.h"

namespace orderd::http {

/// Decodes %XX and '+'; nullopt if that is malformed, or the result holds a NUL or is not UTF-8.
std::optional<std::string> percent_decode(std::string_view text);

/// The parameters of one request. Each reader notes what is wrong and returns nullopt.
class Query {
 public:
  /// `known`: every other name is an error, and so is a name that comes twice.
  Query(std::string_view query, std::initializer_list<std::string_view> known);

  /// nullopt when absent.
  std::optional<std::string> text(std::string_view name);
  struct Limits {
    std::int64_t min, max, fallback;
  };
  std::int64_t integer(std::string_view name, const Limits& limits);
  std::optional<Time> time(std::string_view name);
  void error(std::string_view name, std::string message);
  const std::vector<intake::FieldError>& errors() const { return errors_; }

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
  std::vector<intake::FieldError> errors_;
};

/// An opaque cursor made of `text`, and back; nullopt if it is not one of ours. `kind` keeps cursors of different lists apart.
std::string make_cursor(char kind, std::string_view text);
std::optional<std::string> read_cursor(char kind, std::string_view cursor);

}  // namespace orderd::http
