#pragma once
// The open transaction that plugin_host lends to plugins, as a port: `store` adapts its connection to it,
// tests their own. Used by one thread at a time, the one that called execute_in(), apply() and the like.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace orderd::plugins {

/// The SQLSTATE of a TxError that no statement caused: the plugin itself refused.
inline constexpr const char* sqlstate_plugin_refused = "OP001";

/// The database refused a statement, or is gone. `what()` is its message.
class TxError : public std::runtime_error {
 public:
  TxError(std::string sqlstate, const std::string& message)
      : std::runtime_error(message), sqlstate_(std::move(sqlstate)) {}
  /// Five characters, or "" when there is no connection any more.
  const std::string& sqlstate() const { return sqlstate_; }
  /// No fault of the statement or its data (locks, room, rights, the session): whoever was called is not to
  /// be blamed; roll all of it back and begin again.
  bool ends_transaction() const;

 private:
  std::string sqlstate_;
};

struct TxParam {
  std::uint32_t type = 0;  // PostgreSQL's type oid; 0: the server infers
  bool binary = false;
  std::optional<std::string_view> value;  // nullopt: NULL
};

/// What a statement returned. Owns its values.
class TxResult {
 public:
  virtual ~TxResult() = default;
  virtual std::size_t rows() const = 0;
  virtual std::size_t columns() const = 0;
  /// Rows changed by INSERT, UPDATE, DELETE or MERGE.
  virtual std::uint64_t affected() const = 0;
  /// nullopt: NULL. The view lives as long as the result. Row and column are in range.
  virtual std::optional<std::string_view> value(std::size_t row, std::size_t column) const = 0;
  virtual std::uint32_t column_type(std::size_t column) const = 0;
};

class TxPort {
 public:
  virtual ~TxPort() = default;
  /// One statement with parameters, prepared once per connection and text. `sql` is NUL-terminated and its
  /// address is usually constant. Throws TxError; the transaction then needs rollback_to_savepoint().
  virtual std::unique_ptr<TxResult> exec(const char* sql, std::span<const TxParam> params,
                                         bool binary_result) = 0;
  /// One savepoint at a time: set it; then either drop it or go back to it (and drop it). They throw TxError.
  virtual void savepoint() = 0;
  virtual void release_savepoint() = 0;
  virtual void rollback_to_savepoint() = 0;
};

}  // namespace orderd::plugins
