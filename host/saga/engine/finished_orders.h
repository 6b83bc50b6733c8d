#pragma once
// Orders whose saga is over, or has not begun, for what is still said about them. One thread, the engine's.
#include <deque>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "saga/engine/task.h"

namespace orderd::saga {

/// The last sagas that finished on this host.
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

struct WorkingSet;

/// Orders without a live saga, for which something comes: a cancellation or a notice after the end, or before
/// the beginning was read. Of one batch of tasks.
class StoredOrders {
 public:
  /// Looks up those of the tasks' orders that may need more than the live sagas, in one round trip. The tasks
  /// outlive it, where they are.
  StoredOrders(WorkingSet& set, const std::vector<Task>& tasks);
  /// Most of what providers say about an order comes right behind its end and tells nothing new: that needs
  /// no look at the database.
  bool is_known(const Task& task) const { return known_.contains(&task); }
  /// A notice of an order whose ORDER_CREATED, or cancellation after its end, is still to be read from the
  /// log.
  bool comes_early(const Task& task) const;
  /// The saga of an order that finished before, or never began, for a cancellation or a notice. False if it
  /// has none.
  bool restore(const Task& task, OrderChange& change) const;

 private:
  bool tells_nothing_new(const Task& task) const;
  WorkingSet& set_;
  std::map<Uuid, OrderNow> found_;
  std::set<const Task*> known_;
};

}  // namespace orderd::saga
