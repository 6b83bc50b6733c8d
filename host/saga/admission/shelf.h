#pragma once
// Orders whose call may not go out for long: a person paused it, or the plugin's breaker is open. Only their
// names are in memory, all else is in `sagas`, from where they come back when their way is open or something
// happens to them. Pure. One thread, the engine's.
#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/uuid.h"

namespace orderd::saga {

class Shelf {
 public:
  /// `action` of this order is not to go out to `instance` for now.
  void put(const Uuid& order, std::int16_t shard, const std::string& instance, const std::string& action);
  /// False if it was not there.
  bool take(const Uuid& order);
  bool has(const Uuid& order) const { return orders_.contains(order); }
  /// Up to `most` orders for each way that is open, the oldest first; they stay.
  std::vector<Uuid> next(std::size_t most,
                         const std::function<bool(const std::string&, const std::string&)>& is_open) const;
  void drop(std::int16_t shard);
  std::size_t size() const { return orders_.size(); }
  std::size_t of(const std::string& instance) const;

 private:
  using Way = std::pair<std::string, std::string>;  // instance, action
  struct Place {
    std::int16_t shard;
    std::map<Way, std::set<Uuid>>::iterator way;
  };
  std::map<Way, std::set<Uuid>> ways_;  // ids of version 7: by age
  std::unordered_map<Uuid, Place> orders_;
};

}  // namespace orderd::saga
