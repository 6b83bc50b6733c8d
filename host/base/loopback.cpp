#include "base/loopback.h"

#include <arpa/inet.h>

namespace orderd {

bool is_loopback_address(const std::string& address) {
  in_addr v4{};
  if (::inet_pton(AF_INET, address.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  in6_addr v6{};
  return ::inet_pton(AF_INET6, address.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool is_loopback_host(const std::string& host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    return is_loopback_address(host.substr(1, host.size() - 2));
  return host == "localhost" || is_loopback_address(host);
}

}  // namespace orderd
