#pragma once
// What waits in the engine: for its time, or for admission to its plugin. One thread, the engine's.
#include "saga/engine/working_set.h"

namespace orderd::saga {

class Timers {
 public:
  explicit Timers(WorkingSet& set) : set_(set) {}
  /// Adds a task for each order whose time has come, as many as a tick takes and no more than admission lets
  /// out.
  void take_due(std::vector<Task>& tasks);
  /// How long until the next time that something waits for, `latest` at most.
  Millis until_next(Time latest) const;

 private:
  WorkingSet& set_;
};

}  // namespace orderd::saga
