#pragma once
// Who is at the other end: the peer of the socket, or whoever a trusted proxy says it forwards for. Pure.
// [any thread]
#include <Poco/Net/IPAddress.h>

#include <string>
#include <string_view>
#include <vector>

#include "http/front/address_range.h"

namespace orderd::http {

class ClientAddresses {
 public:
  /// Throws std::runtime_error for a range it cannot read.
  explicit ClientAddresses(const std::vector<std::string>& trusted_proxies);

  struct Seen {
    Poco::Net::IPAddress peer;
    std::string forwarded_for;      // X-Forwarded-For, all of it
    bool other_forwarding = false;  // another field says that a proxy was on the way
  };
  /// X-Forwarded-For read from its right end for as long as the one who wrote it is trusted.
  Poco::Net::IPAddress client(const Seen& seen) const;
  /// Asked on this machine by itself: the peer is the loopback, and nothing says that it forwards for
  /// somebody, unless it is a trusted proxy and all it names are the loopback.
  bool is_local(const Seen& seen) const;

 private:
  bool trusts(const Poco::Net::IPAddress& address) const;
  std::vector<front::AddressRange> trusted_;
};

/// What stands for a client in a table of clients: an IPv6 client counts as its /64.
std::string client_name(const Poco::Net::IPAddress& address);

}  // namespace orderd::http
