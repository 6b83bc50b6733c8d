#pragma once
#include <cstddef>
#include <map>
#include <optional>

#include "http/front/address_range.h"

namespace orderd::http::front {

/// Counts the bytes of answers that wait for their clients to read them, so that slow readers of large
/// answers cannot fill the memory: in all, and of each client address. [I/O thread]
class UnsentBytes {
 public:
  struct Limits {
    std::size_t all_max, per_address_max;
  };
  explicit UnsentBytes(Limits limits) : limits_(limits) {}

  /// A small answer always has room, and so has the only one of an address. Without an address, which stands
  /// for many clients, only the sum counts.
  bool room_for(const std::optional<AddressBytes>& address, std::size_t bytes) const;
  void add(const std::optional<AddressBytes>& address, std::size_t bytes);
  void remove(const std::optional<AddressBytes>& address, std::size_t bytes);

 private:
  const Limits limits_;
  std::size_t all_ = 0;
  std::map<AddressBytes, std::size_t> per_address_;
};

}  // namespace orderd::http::front
