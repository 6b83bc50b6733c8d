#include "store/rows.h"

#include <cstdlib>
#include <cstring>

#include "store/wire.h"

namespace orderd::store {

std::int64_t Rows::affected() const { return std::atoll(PQcmdTuples(result_.get())); }

std::string_view Rows::bytes(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::int64_t Rows::integer(int row, int column) const {
  const auto value = bytes(row, column);
  const auto raw = wire::get(value);
  if (value.size() == 2) return static_cast<std::int16_t>(raw);
  if (value.size() == 4) return static_cast<std::int32_t>(raw);
  return static_cast<std::int64_t>(raw);
}

Uuid Rows::uuid(int row, int column) const {
  Uuid id;
  const auto value = bytes(row, column);
  if (value.size() == id.bytes.size()) std::memcpy(id.bytes.data(), value.data(), value.size());
  return id;
}

Time Rows::time(int row, int column) const {
  return wire::from_pg_time(static_cast<std::int64_t>(wire::get(bytes(row, column))));
}

std::optional<Time> Rows::optional_time(int row, int column) const {
  return is_null(row, column) ? std::nullopt : std::optional(time(row, column));
}

}  // namespace orderd::store
