#pragma once
// Writes tasks in one transaction, and what cannot be written with the others behind what happened meanwhile,
// in smaller parts, alone, later. One thread, the engine's. Every call may throw StoreError::lost.
#include "saga/engine/working_set.h"

namespace orderd::saga {

class Batches {
 public:
  explicit Batches(WorkingSet& set) : set_(set) {}
  /// All of them: what is refused becomes a dead letter, what is blocked is set aside.
  void take(std::vector<Task> tasks);
  /// The same, as many at once as a tick takes.
  void in_parts(const std::vector<Task>& tasks);
  /// Those set aside whose time has come, apart from all others.
  void try_blocked();

 private:
  void write(const std::vector<Task>& tasks, const Positions& positions);
  bool add_cancellations(std::vector<Task>& tasks);
  void in_halves(std::vector<Task> tasks);
  void alone(Task task);
  void stop_for_now(Task task, const StoreError& error);
  void set_aside(Task task, Time until);
  void wait_behind(std::vector<Task>& tasks);

  WorkingSet& set_;
};

}  // namespace orderd::saga
