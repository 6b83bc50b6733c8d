#pragma once
// Parameters of a statement in PostgreSQL's binary format, scalars and one-dimensional arrays for `unnest`.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/uuid.h"

namespace orderd::store {

/// A list of parameters, $1 first. The statement must use exactly the SQL types named here: nothing is
/// converted.
class Args {
 public:
  Args& boolean(bool value);
  Args& int2(std::int16_t value);
  Args& int4(std::int32_t value);
  Args& int8(std::int64_t value);
  Args& text(std::string_view value);
  Args& bytea(std::string_view value) { return text(value); }  // both are plain bytes on the wire
  Args& jsonb(std::string_view value);
  Args& uuid(const Uuid& value);
  Args& timestamptz(Time value);
  Args& null();

  Args& int2s(std::span<const std::int16_t> values);
  Args& int4s(std::span<const std::int32_t> values);
  Args& int8s(std::span<const std::int64_t> values);
  Args& uuids(std::span<const Uuid> values);
  Args& texts(std::span<const std::string> values);
  Args& nullable_texts(std::span<const std::optional<std::string>> values);
  Args& byteas(std::span<const std::string> values);
  Args& jsonbs(std::span<const std::string> values);
  Args& timestamptzs(std::span<const Time> values);
  Args& nullable_timestamptzs(std::span<const std::optional<Time>> values);

  int count() const { return static_cast<int>(values_.size()); }
  /// libpq's arrays; valid until the next change of this object.
  const char* const* pointers();
  const int* lengths() const { return lengths_.data(); }
  const int* formats() const { return formats_.data(); }

 private:
  Args& add(std::string value);
  std::vector<std::optional<std::string>> values_;
  std::vector<const char*> pointers_;
  std::vector<int> lengths_, formats_;
};

}  // namespace orderd::store
