// Open orders that nothing works on: they begin, or go on, as the log should have made them.
#include "base/fault.h"
#include "base/log.h"
#include "model/order_json.h"
#include "saga/engine/engine.h"

namespace orderd::saga {

/// What the log should have brought: a beginning, or a cancellation. An order that had begun and whose saga
/// is gone waits for a person.
void Engine::take_up_forgotten() {
  if (shards_.empty() || fault::mutation("saga_forgotten_left")) return;
  const auto found = store_.forgotten(shards_, forgotten_);
  std::vector<Uuid> ids;
  for (const Forgotten& one : found)
    if (!live_.contains(one.order_id)) ids.push_back(one.order_id);
  if (ids.empty()) return;
  const auto orders = store_.look_up(ids);
  std::vector<Task> tasks;
  for (const Forgotten& one : found) {
    const auto order = orders.find(one.order_id);
    if (order == orders.end() || order->second.version != one.version) continue;
    Task task{one.order_id, Due{}};
    task.origin = {one.order_id, one.version, one.shard, bus::in_log(one.pos), ""};
    if (order->second.status == Status::cancelling && order->second.cancel_version > 0) {
      task.input = cancel_of(order->second);
    } else if (one.version == 1 && !order->second.body.currency.empty()) {
      task.input = Begin{};
      task.body = std::make_shared<const OrderBody>(order->second.body);
      task.traceparent = order->second.traceparent;
    } else {
      task.origin.reason =
          "it had begun, and its saga is gone: compare its payment with the provider's, then "
          "cancel it";
      parking_.push_back(std::move(task.origin));
      continue;
    }
    log_warning("saga", "an open order that nothing worked on is taken up",
                {{"order", one.order_id.to_string()}, {"trace", trace_id(order->second.traceparent)}});
    ++metrics_.taken_up;
    tasks.push_back(std::move(task));
  }
  in_batches(tasks);
}

}  // namespace orderd::saga
