// Parameters of a statement in PostgreSQL's binary format, scalars and arrays for `unnest`.
#ifndef ORDERD_SDK_PARAMS_HPP
#define ORDERD_SDK_PARAMS_HPP

#include <orderd/tx.h>

#include <optional>
#include <string>
#include <vector>

#include "barrier.hpp"

namespace orderd::sdk {

/// $1 first: Params().uuids(ids).int8s(quantities).text("x"). Owns its bytes.
class Params {
 public:
  Params& boolean(bool value) { return add(ORDERD_PG_BOOL, std::string(1, value ? '\1' : '\0')); }
  Params& int2(std::int16_t value) {
    return add(ORDERD_PG_INT2, big_endian(static_cast<std::uint16_t>(value)));
  }
  Params& int4(std::int32_t value) {
    return add(ORDERD_PG_INT4, big_endian(static_cast<std::uint32_t>(value)));
  }
  Params& int8(std::int64_t value) {
    return add(ORDERD_PG_INT8, big_endian(static_cast<std::uint64_t>(value)));
  }
  Params& text(std::string_view value) { return add(ORDERD_PG_TEXT, std::string(value)); }
  Params& bytea(std::string_view value) { return add(ORDERD_PG_BYTEA, std::string(value)); }
  Params& jsonb(std::string_view value) { return add(ORDERD_PG_JSONB, '\1' + std::string(value)); }
  Params& uuid(const orderd_uuid& value) { return add(ORDERD_PG_UUID, bytes(value)); }
  /// Unix milliseconds; PostgreSQL counts microseconds from 2000.
  Params& timestamptz(std::int64_t unix_ms) {
    return add(ORDERD_PG_TIMESTAMPTZ, big_endian(static_cast<std::uint64_t>(to_pg_time(unix_ms))));
  }
  Params& null() {
    values_.push_back({0, std::nullopt});
    return *this;
  }

  Params& int2s(const std::vector<std::int16_t>& values) {
    return array(ORDERD_PG_INT2_ARRAY, ORDERD_PG_INT2, values,
                 [](std::int16_t v) { return big_endian(static_cast<std::uint16_t>(v)); });
  }
  Params& int4s(const std::vector<std::int32_t>& values) {
    return array(ORDERD_PG_INT4_ARRAY, ORDERD_PG_INT4, values,
                 [](std::int32_t v) { return big_endian(static_cast<std::uint32_t>(v)); });
  }
  Params& int8s(const std::vector<std::int64_t>& values) {
    return array(ORDERD_PG_INT8_ARRAY, ORDERD_PG_INT8, values,
                 [](std::int64_t v) { return big_endian(static_cast<std::uint64_t>(v)); });
  }
  Params& uuids(const std::vector<orderd_uuid>& values) {
    return array(ORDERD_PG_UUID_ARRAY, ORDERD_PG_UUID, values, [](const orderd_uuid& v) { return bytes(v); });
  }
  Params& timestamptzs(const std::vector<std::int64_t>& unix_ms) {
    return array(ORDERD_PG_TIMESTAMPTZ_ARRAY, ORDERD_PG_TIMESTAMPTZ, unix_ms,
                 [](std::int64_t v) { return big_endian(static_cast<std::uint64_t>(to_pg_time(v))); });
  }
  /// std::string or std::string_view.
  template <class Text>
  Params& texts(const std::vector<Text>& values) {
    return array(ORDERD_PG_TEXT_ARRAY, ORDERD_PG_TEXT, values, [](std::string_view v) { return v; });
  }
  template <class Bytes>
  Params& byteas(const std::vector<Bytes>& values) {
    return array(ORDERD_PG_BYTEA_ARRAY, ORDERD_PG_BYTEA, values, [](std::string_view v) { return v; });
  }

  /// The C structs; their views look into this object.
  std::vector<orderd_param> abi() const {
    std::vector<orderd_param> list;
    list.reserve(values_.size());
    for (const auto& [type, value] : values_)
      list.push_back({type, ORDERD_FORMAT_BINARY, value ? view(*value) : orderd_view{nullptr, 0}});
    return list;
  }

 private:
  struct Value {
    std::uint32_t type;
    std::optional<std::string> bytes;
  };

  template <class Unsigned>
  static std::string big_endian(Unsigned value) {
    std::string out(sizeof value, '\0');
    for (std::size_t i = sizeof value; i-- > 0; value = static_cast<Unsigned>(value >> 7 >> 1))
      out[i] = static_cast<char>(value & 0xff);
    return out;
  }
  static std::string bytes(const orderd_uuid& id) {
    return {reinterpret_cast<const char*>(id.bytes), sizeof id.bytes};
  }
  static std::int64_t to_pg_time(std::int64_t unix_ms) { return (unix_ms - 946684800000) * 1000; }

  Params& add(std::uint32_t type, std::string value) {
    values_.push_back({type, std::move(value)});
    return *this;
  }
  /// array_recv: dimensions, "has nulls", element type, size and lower bound; then each element with its
  /// length.
  template <class T, class Encode>
  Params& array(std::uint32_t type, std::uint32_t element, const std::vector<T>& values, Encode encode) {
    const auto u32 = [](std::size_t n) { return big_endian(static_cast<std::uint32_t>(n)); };
    std::string out = u32(values.empty() ? 0 : 1) + u32(0) + u32(element);
    if (!values.empty()) out += u32(values.size()) + u32(1);
    for (const auto& value : values) {
      const auto encoded = encode(value);
      out += u32(encoded.size());
      out += encoded;
    }
    return add(type, std::move(out));
  }

  std::vector<Value> values_;
};

}  // namespace orderd::sdk
#endif
