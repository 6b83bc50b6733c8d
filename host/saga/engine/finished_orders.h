#pragma once
// The last sagas that finished on this host, for what is still said about them. One thread, the engine's.
#include <deque>
#include <unordered_map>
#include <utility>

#include "saga/engine/task.h"

namespace orderd::saga {

class FinishedOrders {
 public:
  explicit FinishedOrders(std::size_t most) : most_(most) {}
  void add(Live live) {
    const Uuid id = live.saga.order_id;
    if (sagas_.insert_or_assign(id, std::move(live)).second) order_.push_back(id);
    while (order_.size() > most_) {
      sagas_.erase(order_.front());
      order_.pop_front();
    }
  }
  const Live* find(const Uuid& order) const {
    const auto found = sagas_.find(order);
    return found == sagas_.end() ? nullptr : &found->second;
  }
  /// They are another host's now.
  void drop(std::int16_t shard) {
    std::erase_if(sagas_, [&](const auto& one) { return one.second.saga.shard == shard; });
  }

 private:
  const std::size_t most_;
  std::unordered_map<Uuid, Live> sagas_;
  std::deque<Uuid> order_;  // oldest first
};

}  // namespace orderd::saga
