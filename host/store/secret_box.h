#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/uuid.h"

namespace orderd::store {

/// Seals small secrets for the time they lie in the database: AES-256-GCM, a random nonce each, bound to the
/// order's id, so that a row copied to another order does not open. Immutable. [any thread]
class SecretBox {
 public:
  /// `key`: 32 bytes. Throws std::invalid_argument otherwise.
  explicit SecretBox(std::string key);
  /// Reads 64 hex digits from a file that nobody else may read; throws std::runtime_error naming file and
  /// fix.
  static SecretBox from_file(const std::string& path);

  std::string seal(std::string_view plain, const Uuid& order_id) const;
  /// nullopt: another key, another order, or damaged.
  std::optional<std::string> open(std::string_view sealed, const Uuid& order_id) const;
  /// A key for another purpose ("tracking", "fingerprint"), derived by HMAC-SHA-256 from this one.
  std::string derive(std::string_view purpose) const;

 private:
  std::string key_;
};

}  // namespace orderd::store
