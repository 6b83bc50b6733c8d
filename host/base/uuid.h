#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace orderd {

/// A UUID as 16 bytes in network order (RFC 9562). A value: copy it freely, compare it, use it as a key.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  /// Version 7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then random. Ids made in one process
  /// rise strictly, also within a millisecond. [any thread]
  static Uuid v7();
  /// The canonical lower-case form only: 8-4-4-4-12. Anything else is nullopt.
  static std::optional<Uuid> parse(std::string_view text);
  std::string to_string() const;
  /// Milliseconds since the Unix epoch, as a version 7 carries them.
  std::int64_t unix_ms() const;

  auto operator<=>(const Uuid&) const = default;
};

}  // namespace orderd

template <>
struct std::hash<orderd::Uuid> {
  std::size_t operator()(const orderd::Uuid& id) const noexcept;
};
