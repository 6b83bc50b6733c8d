#include "http/front/address_caps.h"

#include <Poco/NumberParser.h>
#include <arpa/inet.h>

#include <cstring>
#include <stdexcept>

namespace orderd::http::front {
namespace {

constexpr unsigned mapped_ipv4_bits = 96;  // ::ffff:0:0/96
constexpr std::size_t counted_ipv6_bytes = 8;

AddressCaps::Key bytes_of(const Poco::Net::IPAddress& address) {
  AddressCaps::Key key{};
  if (address.family() == Poco::Net::IPAddress::IPv4) {
    key[10] = key[11] = 0xff;
    std::memcpy(key.data() + 12, address.addr(), 4);
  } else {
    std::memcpy(key.data(), address.addr(), key.size());
  }
  return key;
}

bool is_mapped_ipv4(const AddressCaps::Key& key) {
  constexpr std::array<std::uint8_t, 12> prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::equal(prefix.begin(), prefix.end(), key.begin());
}

}  // namespace

std::optional<Poco::Net::IPAddress> parse_ip(const std::string& text) {
  in_addr v4{};
  if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) return Poco::Net::IPAddress(&v4, sizeof v4);
  in6_addr v6{};
  if (::inet_pton(AF_INET6, text.c_str(), &v6) == 1) return Poco::Net::IPAddress(&v6, sizeof v6);
  return std::nullopt;
}

AddressCaps::AddressCaps(Rules rules) : rules_(std::move(rules)) {
  for (const std::string& text : rules_.trusted) trusted_.push_back(parse_range(text));
}

AddressCaps::Range AddressCaps::parse_range(const std::string& text) {
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
  return {.address = bytes_of(*address), .bits = bits + (family_bits == 32 ? mapped_ipv4_bits : 0)};
}

bool AddressCaps::Range::contains(const Key& other) const {
  const std::size_t whole = bits / 8;
  if (!std::equal(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(whole), other.begin()))
    return false;
  const unsigned rest = bits % 8;
  return rest == 0 || ((address[whole] ^ other[whole]) >> (8 - rest)) == 0;
}

bool AddressCaps::counts(const Poco::Net::IPAddress& address) const {
  if (address.isLoopback()) return rules_.count_loopback;
  const Key key = bytes_of(address);
  return std::none_of(trusted_.begin(), trusted_.end(),
                      [&](const Range& range) { return range.contains(key); });
}

AddressCaps::Key AddressCaps::key_of(const Poco::Net::IPAddress& address) {
  Key key = bytes_of(address);
  if (!is_mapped_ipv4(key)) std::fill(key.begin() + counted_ipv6_bytes, key.end(), std::uint8_t{0});
  return key;
}

bool AddressCaps::add(const Key& key) {
  std::size_t& count = counts_[key];
  if (count >= rules_.connections_per_address_max) {
    if (count == 0) counts_.erase(key);
    return false;
  }
  ++count;
  return true;
}

void AddressCaps::remove(const Key& key) {
  const auto found = counts_.find(key);
  if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

}  // namespace orderd::http::front
