#include "http/front/unsent_bytes.h"

namespace orderd::http::front {
namespace {

constexpr std::size_t small_bytes_max = 16 * 1024;  // problems, and what changes something: always told

}  // namespace

bool UnsentBytes::room_for(const std::optional<AddressBytes>& address, std::size_t bytes) const {
  if (bytes <= small_bytes_max) return true;
  if (all_ + bytes > limits_.all_max) return false;
  const auto found = address ? per_address_.find(*address) : per_address_.end();
  return found == per_address_.end() || found->second + bytes <= limits_.per_address_max;
}

void UnsentBytes::add(const std::optional<AddressBytes>& address, std::size_t bytes) {
  all_ += bytes;
  if (address) per_address_[*address] += bytes;
}

void UnsentBytes::remove(const std::optional<AddressBytes>& address, std::size_t bytes) {
  all_ -= bytes;
  if (!address) return;
  const auto found = per_address_.find(*address);
  if (found == per_address_.end()) return;
  found->second -= bytes;
  if (found->second == 0) per_address_.erase(found);
}

}  // namespace orderd::http::front
