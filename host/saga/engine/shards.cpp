#include "saga/engine/shards.h"

#include "base/fault.h"
#include "base/log.h"
#include "model/order_json.h"

namespace orderd::saga {

void Shards::maintain() {
  apply_ownership(renew());
  take_up_unserved();
  take_up_forgotten();
}

/// What is free is claimed, too: it is the same statement.
Ownership Shards::renew() {
  maintained_ = set_.clock.now();
  return set_.store.maintain();
}

/// One shard after the other, with renewals between them: sagas may be many, and a lease is short.
void Shards::apply_ownership(Ownership change) {
  std::map<std::int16_t, std::int64_t> gained;
  for (;;) {
    for (const std::int16_t shard : change.lost) {
      release_shard(shard);
      gained.erase(shard);
    }
    gained.merge(change.gained);
    if (gained.empty()) return;
    const auto [shard, position] = *gained.begin();
    gained.erase(gained.begin());
    take_over(shard, position);
    change = set_.clock.now() - maintained_ < set_.options.maintain_every ? Ownership{} : renew();
  }
}

void Shards::take_over(std::int16_t shard, std::int64_t position) {
  release_shard(shard);
  const std::size_t before = set_.sagas.size();
  const std::vector<Task> tasks = set_.take_in_hand(set_.store.load({shard}));
  set_.inbox.begin_again();
  set_.shards.insert(shard);
  set_.positions_read[shard] = set_.positions_saved[shard] = position;
  set_.orders.start(shard, position);
  log_info("saga", "took over a shard",
           {{"shard", std::to_string(shard)},
            {"live", std::to_string(set_.sagas.size() - before)},
            {"in_flight", std::to_string(tasks.size())}});
  batches_.in_parts(tasks);
}

void Shards::release_shard(std::int16_t shard) {
  set_.orders.stop(shard);
  set_.shards.erase(shard);
  set_.positions_read.erase(shard);
  set_.positions_saved.erase(shard);
  set_.finished.drop(shard);
  std::erase_if(set_.unserved, [&](const auto& one) { return one.second == shard; });
  std::erase_if(set_.sagas, [&](const auto& one) {
    if (one.second.saga.shard != shard) return false;
    set_.admission.forget(one.first);
    set_.permits.erase(one.first);
    return true;
  });
  // What came from its log, and rows of its inbox, are the next owner's.
  std::erase_if(set_.retry_queue, [&](const auto& one) {
    return one.second.origin.version > 0 && one.second.origin.shard == shard;
  });
  set_.shelf.drop(shard);
  set_.inbox.drop(shard);
}

void Shards::forget_all() {
  while (!set_.shards.empty()) release_shard(*set_.shards.begin());
  set_.store.forget();
  maintained_ = {};
}

/// Their plugin may be here by now.
void Shards::take_up_unserved() {
  constexpr Millis every{10'000};
  constexpr std::size_t unserved_at_once = 500;
  if (set_.unserved.empty() || set_.clock.now() - unserved_read_at_ < every) return;
  unserved_read_at_ = set_.clock.now();
  // A part of them at a time, in turn: among them may be all of a provider's orders.
  std::vector<Uuid> ids;
  for (auto at = set_.unserved.upper_bound(unserved_up_to_);
       at != set_.unserved.end() && ids.size() < unserved_at_once; ++at)
    ids.push_back(at->first);
  unserved_up_to_ = ids.size() < unserved_at_once ? Uuid{} : ids.back();
  std::vector<Task> tasks = set_.take_in_hand(set_.store.load_orders(ids));
  // The log was read on meanwhile: a cancellation in it was passed over.
  std::vector<Uuid> taken;
  for (const Uuid& id : ids)
    if (set_.sagas.contains(id)) taken.push_back(id);
  for (const auto& [id, order] : set_.store.look_up(taken))
    if (order.cancel_version > 0) tasks.push_back({id, cancel_of(order)});
  batches_.in_parts(tasks);
}

/// What the log should have brought: a beginning, or a cancellation. An order that had begun and whose saga
/// is gone waits for a person.
void Shards::take_up_forgotten() {
  if (set_.shards.empty() || fault::mutation("saga_forgotten_left")) return;
  const auto found = set_.store.forgotten(set_.shards, forgotten_);
  std::vector<Uuid> ids;
  for (const Forgotten& one : found)
    if (!set_.sagas.contains(one.order_id)) ids.push_back(one.order_id);
  if (ids.empty()) return;
  const auto orders = set_.store.look_up(ids);
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
      set_.parking.push_back(std::move(task.origin));
      continue;
    }
    log_warning("saga", "an open order that nothing worked on is taken up",
                {{"order", one.order_id.to_string()}, {"trace", trace_id(order->second.traceparent)}});
    set_.metrics.taken_up.Increment();
    tasks.push_back(std::move(task));
  }
  batches_.in_parts(tasks);
}

}  // namespace orderd::saga
