#include "store/args.h"

#include "store/wire.h"

namespace orderd::store {
namespace {

// Type numbers of pg_type.dat; fixed for ever.
constexpr std::uint32_t oid_bytea = 17, oid_int8 = 20, oid_int2 = 21, oid_int4 = 23, oid_text = 25,
                        oid_timestamptz = 1184, oid_uuid = 2950, oid_jsonb = 3802;

std::string_view view(const Uuid& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

/// A one-dimensional array (src/backend/utils/adt/arrayfuncs.c, array_recv): `append` writes one element's
/// bytes, or returns false for NULL.
template <typename Range, typename Append>
std::string array(std::uint32_t element_type, const Range& values, Append append) {
  std::string out;
  out.reserve(20 + values.size() * 24);
  wire::put32(out, 1);  // dimensions
  wire::put32(out, 1);  // there may be NULLs
  wire::put32(out, element_type);
  wire::put32(out, static_cast<std::uint32_t>(values.size()));
  wire::put32(out, 1);  // lower bound
  for (const auto& value : values) {
    const std::size_t length_at = out.size();
    wire::put32(out, 0);
    const bool present = append(out, value);
    const auto length = present ? static_cast<std::uint32_t>(out.size() - length_at - 4) : 0xffffffffu;
    wire::set32(out, length_at, length);
  }
  return out;
}

}  // namespace

Args& Args::add(std::string value) {
  lengths_.push_back(static_cast<int>(value.size()));
  formats_.push_back(1);
  values_.emplace_back(std::move(value));
  return *this;
}

Args& Args::null() {
  values_.emplace_back();
  lengths_.push_back(0);
  formats_.push_back(1);
  return *this;
}

Args& Args::boolean(bool value) { return add(std::string(1, value ? '\1' : '\0')); }
Args& Args::text(std::string_view value) { return add(std::string(value)); }
Args& Args::uuid(const Uuid& value) { return add(std::string(view(value))); }
Args& Args::jsonb(std::string_view value) { return add(std::string("\1").append(value)); }

Args& Args::int2(std::int16_t value) {
  std::string out;
  wire::put16(out, static_cast<std::uint16_t>(value));
  return add(std::move(out));
}
Args& Args::int4(std::int32_t value) {
  std::string out;
  wire::put32(out, static_cast<std::uint32_t>(value));
  return add(std::move(out));
}
Args& Args::int8(std::int64_t value) {
  std::string out;
  wire::put64(out, static_cast<std::uint64_t>(value));
  return add(std::move(out));
}
Args& Args::timestamptz(Time value) { return int8(wire::to_pg_time(value)); }

Args& Args::int2s(std::span<const std::int16_t> values) {
  return add(array(oid_int2, values, [](std::string& out, std::int16_t v) {
    return wire::put16(out, static_cast<std::uint16_t>(v)), true;
  }));
}
Args& Args::int4s(std::span<const std::int32_t> values) {
  return add(array(oid_int4, values, [](std::string& out, std::int32_t v) {
    return wire::put32(out, static_cast<std::uint32_t>(v)), true;
  }));
}
Args& Args::int8s(std::span<const std::int64_t> values) {
  return add(array(oid_int8, values, [](std::string& out, std::int64_t v) {
    return wire::put64(out, static_cast<std::uint64_t>(v)), true;
  }));
}
Args& Args::uuids(std::span<const Uuid> values) {
  return add(
      array(oid_uuid, values, [](std::string& out, const Uuid& v) { return out.append(view(v)), true; }));
}
Args& Args::texts(std::span<const std::string> values) {
  return add(
      array(oid_text, values, [](std::string& out, const std::string& v) { return out.append(v), true; }));
}
Args& Args::byteas(std::span<const std::string> values) {
  return add(
      array(oid_bytea, values, [](std::string& out, const std::string& v) { return out.append(v), true; }));
}
Args& Args::jsonbs(std::span<const std::string> values) {
  return add(array(oid_jsonb, values,
                   [](std::string& out, const std::string& v) { return out.append("\1").append(v), true; }));
}
Args& Args::nullable_texts(std::span<const std::optional<std::string>> values) {
  return add(array(oid_text, values,
                   [](std::string& out, const auto& v) { return v ? (out.append(*v), true) : false; }));
}
Args& Args::timestamptzs(std::span<const Time> values) {
  return add(array(oid_timestamptz, values, [](std::string& out, Time v) {
    return wire::put64(out, static_cast<std::uint64_t>(wire::to_pg_time(v))), true;
  }));
}
Args& Args::nullable_timestamptzs(std::span<const std::optional<Time>> values) {
  return add(array(oid_timestamptz, values, [](std::string& out, const auto& v) {
    return v ? (wire::put64(out, static_cast<std::uint64_t>(wire::to_pg_time(*v))), true) : false;
  }));
}

const char* const* Args::pointers() {
  pointers_.clear();
  for (const auto& value : values_) pointers_.push_back(value ? value->data() : nullptr);
  return pointers_.data();
}

}  // namespace orderd::store
