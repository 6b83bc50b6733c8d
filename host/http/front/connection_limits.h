#pragma once
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "http/front/address_range.h"

namespace orderd::http::front {

/// Counts connections per client address, so that one client cannot take them all. An IPv6 client counts as
/// its /64, as it may have any address in it. Loopback and trusted proxies, who bring many clients, are not
/// counted. [I/O thread]
class ConnectionLimits {
 public:
  using Key = AddressBytes;

  struct Rules {
    std::size_t connections_per_address_max;
    bool count_loopback;
    std::vector<std::string> trusted;  // "10.0.0.7" or "10.0.0.0/8"
  };
  /// Throws std::runtime_error for a trusted address it cannot read.
  explicit ConnectionLimits(Rules rules);

  bool counts(const Poco::Net::IPAddress& address) const;
  /// False, and nothing counted, if the address has its share.
  [[nodiscard]] bool add(const Key& key);
  void remove(const Key& key);
  static Key key_of(const Poco::Net::IPAddress& address) { return client_bytes_of(address); }

 private:
  const Rules rules_;
  std::vector<AddressRange> trusted_;
  std::map<Key, std::size_t> counts_;
};

}  // namespace orderd::http::front
