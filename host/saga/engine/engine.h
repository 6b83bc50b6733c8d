#pragma once
#include <map>
#include <set>
#include <stop_token>
#include <unordered_map>

#include "base/clock.h"
#include "base/queue.h"
#include "bus/event_bus.h"
#include "plugin_ports/step.h"
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

/// Moves orders through their sagas. Each turn takes what is there (new orders, cancellations, outcomes,
/// timers), decides, writes it in one transaction, and only then calls the external plugins whose intents
/// that holds. What it does not know after a crash it asks for, under the same keys. One thread runs it;
/// complete(): any.
class Engine {
 public:
  /// `plugins` outlives it, as all that is given by reference.
  Engine(EngineOptions options, Store& store, bus::Subscription& orders, Plugins& plugins,
         Definition definition, const Clock& clock);
  /// The plugins' sink. [any thread]
  void complete(Completion completion);
  /// Until asked to stop; then waits for calls in flight and gives its shards back.
  void run(std::stop_token stop);
  /// One round; waits up to `wait` for something to do. False while there is no database.
  bool turn(Millis wait);
  std::size_t live() const { return live_.size(); }  // in memory
 private:
  void maintain();
  Ownership renew();
  void apply_ownership(Ownership change);
  void take_over(std::int16_t shard, std::int64_t position);
  void take_up_unserved(), take_up_forgotten();
  std::vector<Task> take_in_hand(std::vector<LiveSaga> sagas);
  void put_on_shelf(const Uuid& id, const std::string& instance, const std::string& action);
  void take_from_shelf(const std::vector<Uuid>& ids);
  void in_batches(const std::vector<Task>& tasks);
  void release_shard(std::int16_t shard), reset(const std::string&why);
  void read_on(std::vector<Task>& tasks, Millis wait);
  void read(std::vector<bus::Record> records, std::vector<Task>& tasks);
  void take_event(Event event, DeadLetter origin, std::int64_t inbox, std::vector<Task>& tasks);
  void take_due(std::vector<Task>& tasks);
  void take_inbox(std::vector<Task>& tasks);
  void take_answers(std::vector<Task>& tasks, Millis wait);
  Task answer(Completion completion);
  std::string due_action(const Uuid& id);
  void report();
  Millis until_next_timer(Millis most) const;
  void tick(std::vector<Task> tasks);
  bool add_cancellations(std::vector<Task>& tasks);
  void in_halves(std::vector<Task> tasks), wait_behind(std::vector<Task>&tasks), try_blocked();
  void let_others_call(Task&task), set_aside(Task task, Time until), alone(Task task), later(Task task);
  void stop_for_now(Task task, const StoreError& error);
  Positions settled() const;
  void write(const std::vector<Task>& tasks, const Positions& positions);
  void write_all(const std::vector<Task>& tasks, const Positions& positions);
  void save(OrderChanges& order_changes, const std::vector<std::int64_t>& taken, const Positions& positions);
  std::map<Uuid, OrderNow> look_up(const std::vector<Task>& tasks);
  bool is_known_notice(const Task& task);
  bool comes_early(const Task& task, const OrderChanges& order_changes,
                   const std::map<Uuid, OrderNow>& stored) const;
  bool apply_task(const Task& task, OrderChanges& order_changes, const std::map<Uuid, OrderNow>& stored);
  bool change_from_store(const Task& task, OrderChange& order, const std::map<Uuid, OrderNow>& stored);
  void hold_back(OrderChanges& order_changes);
  void apply(OrderChange& order, const Input& input);
  void run_transactional(OrderChanges& order_changes, plugins::TxPort& tx);
  Change change_of(OrderChange& order) const;
  void apply_committed(OrderChanges& order_changes, const std::set<Uuid>& not_started);
  void dispatch(const OrderChanges& order_changes, const std::set<Uuid>& not_started);
  bool add_secret(const std::map<Uuid, std::optional<std::string>>& secrets, Command& command);
  void schedule(const Live& live, bool held = false);
  plugins::StepPort* external_port(const Live& live);
  Facts facts(const Live& live);
  const Definition& definition(const std::string& digest);
  void serve(Live& live, bool reopened);
  void begin(Live& live, const Uuid& order_id, std::int16_t shard);
  const SlotInfo& external_slot(const OrderChange& order);
  bool reroute(OrderChange& order);
  const EngineOptions options_;
  Store& store_;
  bus::Subscription& orders_;
  Plugins& plugins_;
  std::map<std::string, Definition> definitions_;  // by digest
  const std::string current_;                      // digest for new orders
  const Clock& clock_;
  BoundedQueue<Completion> completions_;
  std::set<std::int16_t> shards_;
  std::unordered_map<Uuid, Live> live_;
  FinishedOrders finished_cache_;
  Uuid unserved_up_to_{};                   // where the last look at the next ended
  std::map<Uuid, std::int16_t> unserved_;   // sagas whose plugin is not here, and their shard: read again
  std::set<std::pair<Time, Uuid>> timers_;  // may name a saga twice or for nothing: checked when due
  Positions read_, saved_;                  // per shard: what was taken from the bus, what PostgreSQL holds
  std::vector<std::pair<Time, Task>> retry_queue_;  // refused alone, or set aside: tried later
  Blocked blocked_;
  std::vector<DeadLetter> parking_;
  std::vector<std::int64_t> parking_rows_;  // of the inbox, whose events are parked again
  std::vector<Task> unsent_;                // answers to calls that were overdue before they went out
  InboxRows inbox_;
  Admission admission_;
  Shelf shelf_;
  std::vector<PluginStatus> reported_;
  ForgottenCursor forgotten_;
  Time maintained_{}, inbox_read_{}, reported_at_{}, unserved_read_at_{};
  bool away_ = false, definition_saved_ = false;
  EngineMetrics metrics_;
};

}  // namespace orderd::saga
