#pragma once
#include <Poco/Net/IPAddress.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace orderd::http::front {

/// An address in numbers; a host name is none. (Poco's own tryParse does not know "::".)
std::optional<Poco::Net::IPAddress> parse_ip(const std::string& text);

/// 16 bytes; IPv4 as ::ffff:a.b.c.d.
using AddressBytes = std::array<std::uint8_t, 16>;
AddressBytes bytes_of(const Poco::Net::IPAddress& address);
/// The bytes that stand for a client: of an IPv6 address the /64, as a client may have any address in it.
AddressBytes client_bytes_of(const Poco::Net::IPAddress& address);

/// "10.0.0.7", "10.0.0.0/8" or "fd00::/8". A value. [any thread]
class AddressRange {
 public:
  /// Throws std::runtime_error if `text` is none.
  static AddressRange parse(const std::string& text);
  bool contains(const Poco::Net::IPAddress& address) const;

 private:
  AddressBytes address_{};
  unsigned bits_ = 0;
};

}  // namespace orderd::http::front
