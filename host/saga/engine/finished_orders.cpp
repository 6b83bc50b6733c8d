#include "saga/engine/finished_orders.h"

#include <algorithm>

#include "saga/engine/working_set.h"

namespace orderd::saga {
namespace {

/// Cancellations, and what came through the inbox: their orders may have no live saga.
bool may_need_stored(const Task& task) {
  return std::holds_alternative<Cancel>(task.input) ||
         (task.inbox != 0 && !std::holds_alternative<Begin>(task.input));
}

}  // namespace

StoredOrders::StoredOrders(WorkingSet& set, const std::vector<Task>& tasks) : set_(set) {
  std::vector<Uuid> ids;
  for (const Task& task : tasks) {
    if (tells_nothing_new(task)) known_.insert(&task);
    if (may_need_stored(task) && !set_.sagas.contains(task.order_id) && !known_.contains(&task))
      ids.push_back(task.order_id);
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  if (!ids.empty()) found_ = set_.store.look_up(ids);
}

/// As far as the last sagas that finished here tell.
bool StoredOrders::tells_nothing_new(const Task& task) const {
  const Live* found = set_.finished.find(task.order_id);
  if (!found || set_.sagas.contains(task.order_id) || set_.shelf.has(task.order_id)) return false;
  return std::holds_alternative<Notice>(task.input) &&
         decide(set_.facts(*found), found->saga, task.input, set_.clock.now()).stale;
}

bool StoredOrders::comes_early(const Task& task) const {
  if (!may_need_stored(task) || std::holds_alternative<Cancel>(task.input)) return false;
  const auto found = found_.find(task.order_id);
  if (found == found_.end()) return false;
  const std::optional<Saga>& finished = found->second.finished;
  return !finished || finished->version != found->second.version;
}

bool StoredOrders::restore(const Task& task, OrderChange& change) const {
  const bool cancel = std::holds_alternative<Cancel>(task.input);
  if (!may_need_stored(task)) return false;
  if (cancel && set_.unserved.contains(task.order_id)) return false;  // it has a saga: see shards.cpp
  const auto found = found_.find(task.order_id);
  if (found == found_.end() || (cancel && found->second.status != Status::cancelling)) return false;
  const OrderNow& order = found->second;
  change.live.body = std::make_shared<const OrderBody>(order.body);
  change.live.traceparent = order.traceparent;
  if (order.finished) {
    change.live.saga = *order.finished;
    set_.serve(change.live, true);
  } else {
    set_.begin(change.live, task.order_id, order.shard);
  }
  change.reopens = true;
  return true;
}

}  // namespace orderd::saga
