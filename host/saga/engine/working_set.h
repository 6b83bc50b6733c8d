#pragma once
// What the engine works on: the sagas of its shards and what waits for them. Its parts (shards.h, timers.h,
// batches.h, tick.h) share it and keep nothing of their own. One thread, the engine's.
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "bus/event_bus.h"
#include "saga/admission/admission.h"
#include "saga/admission/shelf.h"
#include "saga/core/decide.h"
#include "saga/engine/blocked.h"
#include "saga/engine/finished_orders.h"
#include "saga/engine/inbox_rows.h"
#include "saga/engine/metrics.h"
#include "saga/engine/options.h"
#include "saga/engine/task.h"
#include "saga/routing/bindings.h"
#include "saga/storage/port.h"

namespace orderd::saga {

struct WorkingSet {
  /// What is given by reference outlives it. Throws DefinitionError if a step has no plugin that can do it.
  WorkingSet(EngineOptions options_given, Store& store_given, bus::Subscription& orders_given,
             Plugins& plugins_given, Definition definition, const Clock& clock_given);
  WorkingSet(const WorkingSet&) = delete;

  /// Throws StoreError if it is not stored or does not make sense.
  const Definition& definition(const std::string& digest);
  Facts facts(const Live& live);
  plugins::StepPort* external_port(const Live& live);
  void serve(Live& live, bool reopened);
  void begin(Live& live, const Uuid& order_id, std::int16_t shard);
  std::vector<Task> take_in_hand(std::vector<LiveSaga> loaded_sagas);
  void put_on_shelf(const Uuid& id, const std::string& instance, const std::string& action);
  void take_from_shelf(const std::vector<Uuid>& ids);
  void schedule(const Live& live, bool held = false);
  std::string due_action(const Uuid& id);
  void later(Task task);
  void give_back_permit(const Uuid& id);
  Positions settled() const;
  void forget_work();

  const EngineOptions options;
  Store& store;
  bus::Subscription& orders;
  Plugins& plugins;
  const Clock& clock;
  EngineMetrics metrics;

  std::map<std::string, Definition> definitions;  // by digest
  const std::string current_digest;               // for new orders

  std::set<std::int16_t> shards;
  Positions positions_read, positions_saved;  // what was taken from the bus, what PostgreSQL holds

  std::unordered_map<Uuid, Live> sagas;
  FinishedOrders finished;
  std::map<Uuid, std::int16_t> unserved;  // sagas whose plugin is not here, and their shard: read again
  Shelf shelf;

  Admission admission;
  std::unordered_map<Uuid, Permit> permits;  // of orders whose call is out, or about to be

  std::set<std::pair<Time, Uuid>> timers;          // may name a saga twice or for nothing: checked when due
  std::vector<std::pair<Time, Task>> retry_queue;  // refused alone, or set aside: tried later
  Blocked blocked;
  std::vector<DeadLetter> parking;
  std::vector<std::int64_t> parking_rows;  // of the inbox, whose events are parked again
  std::vector<Task> unsent;                // answers to calls that were overdue before they went out
  InboxRows inbox;
};

}  // namespace orderd::saga
