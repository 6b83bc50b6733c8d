#include "http/front/address_range.h"

#include <Poco/NumberParser.h>
#include <arpa/inet.h>

#include <cstring>
#include <stdexcept>

namespace orderd::http::front {
namespace {

constexpr unsigned mapped_ipv4_bits = 96;  // ::ffff:0:0/96
constexpr std::size_t client_ipv6_bytes = 8;

}  // namespace

std::optional<Poco::Net::IPAddress> parse_ip(const std::string& text) {
  in_addr v4{};
  if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) return Poco::Net::IPAddress(&v4, sizeof v4);
  in6_addr v6{};
  if (::inet_pton(AF_INET6, text.c_str(), &v6) == 1) return Poco::Net::IPAddress(&v6, sizeof v6);
  return std::nullopt;
}

AddressBytes bytes_of(const Poco::Net::IPAddress& address) {
  AddressBytes bytes{};
  if (address.family() == Poco::Net::IPAddress::IPv4) {
    bytes[10] = bytes[11] = 0xff;
    std::memcpy(bytes.data() + 12, address.addr(), 4);
  } else {
    std::memcpy(bytes.data(), address.addr(), bytes.size());
  }
  return bytes;
}

AddressBytes client_bytes_of(const Poco::Net::IPAddress& address) {
  constexpr std::array<std::uint8_t, 12> mapped_ipv4{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  AddressBytes bytes = bytes_of(address);
  if (!std::equal(mapped_ipv4.begin(), mapped_ipv4.end(), bytes.begin()))
    std::fill(bytes.begin() + client_ipv6_bytes, bytes.end(), std::uint8_t{0});
  return bytes;
}

AddressRange AddressRange::parse(const std::string& text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_ip(text.substr(0, slash));
  if (!address)
    throw std::runtime_error("trusted proxy \"" + text +
                             "\" is no IP address; write one like 10.0.0.7 or 10.0.0.0/8");
  const unsigned family_bits = address->family() == Poco::Net::IPAddress::IPv4 ? 32 : 128;
  unsigned bits = family_bits;
  if (slash != text.npos &&
      (!Poco::NumberParser::tryParseUnsigned(text.substr(slash + 1), bits) || bits > family_bits))
    throw std::runtime_error("trusted proxy \"" + text + "\" has no valid prefix length; it may be 0 to " +
                             std::to_string(family_bits));
  AddressRange range;
  range.address_ = bytes_of(*address);
  range.bits_ = bits + (family_bits == 32 ? mapped_ipv4_bits : 0);
  return range;
}

bool AddressRange::contains(const Poco::Net::IPAddress& address) const {
  const AddressBytes other = bytes_of(address);
  const std::size_t whole = bits_ / 8;
  if (!std::equal(address_.begin(), address_.begin() + static_cast<std::ptrdiff_t>(whole), other.begin()))
    return false;
  const unsigned rest = bits_ % 8;
  return rest == 0 || ((address_[whole] ^ other[whole]) >> (8 - rest)) == 0;
}

}  // namespace orderd::http::front
