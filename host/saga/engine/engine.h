#pragma once
// The loop that moves orders through their sagas. Each turn takes what is there (new orders, cancellations,
// outcomes, timers), decides, writes it in one transaction, and only then calls the external plugins whose
// intents that holds. What it does not know after a crash it asks for, under the same keys.
#include <stop_token>

#include "base/queue.h"
#include "saga/engine/batches.h"
#include "saga/engine/shards.h"
#include "saga/engine/timers.h"
#include "saga/engine/working_set.h"

namespace orderd::saga {

/// One thread runs it; complete(): any.
class Engine {
 public:
  /// `plugins` outlives it, as all that is given by reference. Throws DefinitionError.
  Engine(EngineOptions options, Store& store, bus::Subscription& orders, Plugins& plugins,
         Definition definition, const Clock& clock);
  /// The plugins' sink. [any thread]
  void complete(Completion completion);
  /// Until asked to stop; then waits for calls in flight and gives its shards back.
  void run(std::stop_token stop);
  /// One round; waits up to `wait` for something to do. False while there is no database.
  bool turn(Millis wait);
  std::size_t live() const { return set_.sagas.size(); }  // in memory

 private:
  void maintain();
  void report();
  void reset(const std::string& why);
  void read_on(std::vector<Task>& tasks, Millis wait);
  void read(std::vector<bus::Record> records, std::vector<Task>& tasks);
  void take_event(Event event, DeadLetter origin, std::int64_t inbox, std::vector<Task>& tasks);
  void take_inbox(std::vector<Task>& tasks);
  void take_answers(std::vector<Task>& tasks, Millis wait);
  Task answer(Completion completion);
  Millis until_next_work(Millis most) const;

  WorkingSet set_;
  Batches batches_;
  Shards shards_;
  Timers timers_;
  BoundedQueue<Completion> completions_;
  std::vector<PluginStatus> reported_;
  Time inbox_read_{}, reported_at_{};
  bool away_ = false, definition_saved_ = false;
};

}  // namespace orderd::saga
