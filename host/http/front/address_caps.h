#pragma once
#include <Poco/Net/IPAddress.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace orderd::http::front {

/// An address in numbers; a host name is none. (Poco's own tryParse does not know "::".)
std::optional<Poco::Net::IPAddress> parse_ip(const std::string& text);

/// Counts connections per client address, so that one client cannot take them all. An IPv6 client counts as
/// its /64, as it may have any address in it. Loopback and trusted proxies, who bring many clients, are not
/// counted. [I/O thread]
class AddressCaps {
 public:
  /// 16 bytes of the counted prefix; IPv4 as ::ffff:a.b.c.d.
  using Key = std::array<std::uint8_t, 16>;

  struct Rules {
    std::size_t connections_per_address_max;
    bool count_loopback;
    std::vector<std::string> trusted;  // "10.0.0.7" or "10.0.0.0/8"
  };
  /// Throws std::runtime_error for a trusted address it cannot read.
  explicit AddressCaps(Rules rules);

  bool counts(const Poco::Net::IPAddress& address) const;
  /// False, and nothing counted, if the address has its share.
  [[nodiscard]] bool add(const Key& key);
  void remove(const Key& key);
  static Key key_of(const Poco::Net::IPAddress& address);

 private:
  struct Range {
    Key address;
    unsigned bits;
    bool contains(const Key& other) const;
  };
  static Range parse_range(const std::string& text);

  const Rules rules_;
  std::vector<Range> trusted_;
  std::map<Key, std::size_t> counts_;
};

}  // namespace orderd::http::front
