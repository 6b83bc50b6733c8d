// Orders without a live saga, for which something comes: a cancellation or news after the end, or before the
// beginning was read.
#include <algorithm>

#include "saga/engine/engine.h"

namespace orderd::saga {
namespace {

/// Cancellations, and what came through the inbox: their orders may have no live saga.
bool may_need_stored(const Task& task) {
  return std::holds_alternative<Cancel>(task.input) ||
         (task.inbox != 0 && !std::holds_alternative<Begin>(task.input));
}

}  // namespace

/// Most of what providers say about an order comes right behind its end and tells nothing new: that needs no
/// look at the database.
bool Engine::is_known_notice(const Task& task) {
  const Live* found = finished_cache_.find(task.order_id);
  if (!found || live_.contains(task.order_id) || shelf_.has(task.order_id)) return false;
  return std::holds_alternative<Notice>(task.input) &&
         decide(facts(*found), found->saga, task.input, clock_.now()).stale;
}

/// The orders of those tasks that may need more than the live sagas, in one round trip.
std::map<Uuid, OrderNow> Engine::look_up(const std::vector<Task>& tasks) {
  std::vector<Uuid> ids;
  for (const Task& task : tasks)
    if (may_need_stored(task) && !live_.contains(task.order_id) && !is_known_notice(task))
      ids.push_back(task.order_id);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids.empty() ? std::map<Uuid, OrderNow>{} : store_.look_up(ids);
}

/// News of an order whose ORDER_CREATED, or cancellation after its end, is still to be read from the log.
bool Engine::comes_early(const Task& task, const OrderChanges& order_changes,
                         const std::map<Uuid, OrderNow>& stored) const {
  if (!may_need_stored(task) || std::holds_alternative<Cancel>(task.input) ||
      order_changes.contains(task.order_id))
    return false;
  const auto found = stored.find(task.order_id);
  if (found == stored.end()) return false;
  const std::optional<Saga>& finished = found->second.finished;
  return !finished || finished->version != found->second.version;
}

/// A cancellation, or news, of an order without a live saga: finished before, or never begun.
bool Engine::change_from_store(const Task& task, OrderChange& change,
                               const std::map<Uuid, OrderNow>& stored) {
  const bool cancel = std::holds_alternative<Cancel>(task.input);
  if (!may_need_stored(task)) return false;
  if (cancel && unserved_.contains(task.order_id)) return false;  // it has a saga: see take_up_unserved()
  const auto found = stored.find(task.order_id);
  if (found == stored.end() || (cancel && found->second.status != Status::cancelling)) return false;
  const OrderNow& order = found->second;
  change.live.body = std::make_shared<const OrderBody>(order.body);
  change.live.traceparent = order.traceparent;
  if (order.finished) {
    change.live.saga = *order.finished;
    serve(change.live, true);
  } else {
    begin(change.live, task.order_id, order.shard);
  }
  change.reopens = true;
  return true;
}

}  // namespace orderd::saga
