#pragma once
// One transaction of the engine: what a batch of tasks changes, transactional steps, the write, then the
// external calls. One thread, the engine's.
#include "saga/engine/working_set.h"

namespace orderd::saga {

class Tick {
 public:
  explicit Tick(WorkingSet& set) : set_(set) {}
  /// All of them, or nothing. Throws StoreError; of kind lost also for what fails after the commit. Once.
  void write(const std::vector<Task>& tasks, const Positions& positions);

 private:
  bool apply_task(const Task& task, const StoredOrders& stored);
  void apply(OrderChange& order, const Input& input);
  void save(const Positions& positions);
  void run_transactional(plugins::TxPort& tx);
  void let_out();
  bool admit(const OrderChange& order, const std::string& instance);
  bool reroute(OrderChange& order);
  Change change_of(OrderChange& order) const;
  void apply_committed();
  void dispatch();
  bool add_secret(const std::map<Uuid, std::optional<std::string>>& secrets, Command& command);

  WorkingSet& set_;
  OrderChanges order_changes_;
  std::vector<std::int64_t> taken_;  // rows of the inbox
  std::set<Uuid> not_started_;       // orders that were seen before: nothing of them was written
};

}  // namespace orderd::saga
