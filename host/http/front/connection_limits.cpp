#include "http/front/connection_limits.h"

namespace orderd::http::front {

ConnectionLimits::ConnectionLimits(Rules rules) : rules_(std::move(rules)) {
  for (const std::string& text : rules_.trusted) trusted_.push_back(AddressRange::parse(text));
}

bool ConnectionLimits::counts(const Poco::Net::IPAddress& address) const {
  if (address.isLoopback()) return rules_.count_loopback;
  return std::none_of(trusted_.begin(), trusted_.end(),
                      [&](const AddressRange& range) { return range.contains(address); });
}

bool ConnectionLimits::add(const Key& key) {
  std::size_t& count = counts_[key];
  if (count >= rules_.connections_per_address_max) {
    if (count == 0) counts_.erase(key);
    return false;
  }
  ++count;
  return true;
}

void ConnectionLimits::remove(const Key& key) {
  const auto found = counts_.find(key);
  if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

}  // namespace orderd::http::front
