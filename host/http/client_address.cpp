#include "http/client_address.h"

#include <algorithm>

#include "http/front/grammar.h"

namespace orderd::http {
namespace {

using Poco::Net::IPAddress;

/// The entries from left to right; one that is no address ends the reading, as nothing left of it can be
/// believed.
std::vector<std::optional<IPAddress>> entries_of(std::string_view field) {
  std::vector<std::optional<IPAddress>> entries;
  while (!field.empty()) {
    const auto end = field.find(',');
    entries.push_back(front::parse_ip(std::string(front::grammar::trim(field.substr(0, end)))));
    field = end == field.npos ? std::string_view() : field.substr(end + 1);
  }
  return entries;
}

}  // namespace

ClientAddresses::ClientAddresses(const std::vector<std::string>& trusted_proxies) {
  for (const std::string& text : trusted_proxies) trusted_.push_back(front::AddressRange::parse(text));
}

bool ClientAddresses::trusts(const IPAddress& address) const {
  return std::any_of(trusted_.begin(), trusted_.end(),
                     [&](const front::AddressRange& range) { return range.contains(address); });
}

IPAddress ClientAddresses::client(const Seen& seen) const {
  IPAddress client = seen.peer;
  auto entries = entries_of(seen.forwarded_for);
  while (!entries.empty() && entries.back() && trusts(client)) {
    client = *entries.back();
    entries.pop_back();
  }
  return client;
}

bool ClientAddresses::is_local(const Seen& seen) const {
  if (!seen.peer.isLoopback() || seen.other_forwarding) return false;
  if (seen.forwarded_for.empty()) return true;
  const auto entries = entries_of(seen.forwarded_for);
  return trusts(seen.peer) && std::all_of(entries.begin(), entries.end(),
                                          [](const auto& entry) { return entry && entry->isLoopback(); });
}

std::string client_name(const IPAddress& address) {
  const auto bytes = front::client_bytes_of(address);
  return {bytes.begin(), bytes.end()};
}

}  // namespace orderd::http
