#pragma once
#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/uuid.h"

namespace orderd::store {

/// The result of one statement, binary. Views live as long as this object. A column read as another type than
/// the SQL's is a programmer's error.
class Rows {
 public:
  explicit Rows(PGresult* result) : result_(result) {}

  int size() const { return PQntuples(result_.get()); }
  bool empty() const { return size() == 0; }
  /// Rows that INSERT, UPDATE or DELETE touched.
  std::int64_t affected() const;

  bool is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
  std::string_view bytes(int row, int column) const;  // text, bytea
  std::string_view jsonb(int row, int column) const { return bytes(row, column).substr(1); }
  std::int64_t integer(int row, int column) const;  // int2, int4, int8
  bool boolean(int row, int column) const { return bytes(row, column) == std::string_view("\1", 1); }
  Uuid uuid(int row, int column) const;
  Time time(int row, int column) const;  // timestamptz
  std::optional<Time> optional_time(int row, int column) const;
  PGresult* raw() const { return result_.get(); }

 private:
  struct Clearer {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  std::unique_ptr<PGresult, Clearer> result_;
};

}  // namespace orderd::store
