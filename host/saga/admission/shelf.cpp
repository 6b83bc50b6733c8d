#include "saga/admission/shelf.h"

namespace orderd::saga {

void Shelf::put(const Uuid& order, std::int16_t shard, const std::string& instance,
                const std::string& action) {
  take(order);
  const auto way = ways_.try_emplace({instance, action}).first;
  way->second.insert(order);
  orders_.emplace(order, Place{shard, way});
}

bool Shelf::take(const Uuid& order) {
  const auto found = orders_.find(order);
  if (found == orders_.end()) return false;
  found->second.way->second.erase(order);
  orders_.erase(found);
  return true;
}

std::vector<Uuid> Shelf::next(
    std::size_t most, const std::function<bool(const std::string&, const std::string&)>& is_open) const {
  std::vector<Uuid> out;
  for (const auto& [way, orders] : ways_) {
    if (orders.empty() || !is_open(way.first, way.second)) continue;
    std::size_t left = most;
    for (auto one = orders.begin(); one != orders.end() && left > 0; ++one, --left) out.push_back(*one);
  }
  return out;
}

void Shelf::drop(std::int16_t shard) {
  std::erase_if(orders_, [&](const auto& one) {
    if (one.second.shard != shard) return false;
    one.second.way->second.erase(one.first);
    return true;
  });
}

std::size_t Shelf::of(const std::string& instance) const {
  std::size_t sum = 0;
  for (const auto& [way, orders] : ways_)
    if (way.first == instance) sum += orders.size();
  return sum;
}

}  // namespace orderd::saga
