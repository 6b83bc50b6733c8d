#pragma once
// An external step: commands wait in a bounded queue, a few threads hand them to the plugin, a watcher ends
// what is overdue. A plugin that hangs holds only threads of its own instance; one without threads is called
// by whoever calls execute(), and holds that. execute() and completions: any thread.
#include <atomic>
#include <condition_variable>
#include <list>
#include <thread>

#include "base/queue.h"
#include "plugin_host/calling/open_calls.h"
#include "plugin_host/loading/instance.h"
#include "plugin_host/loading/options.h"
#include "plugin_ports/step.h"

namespace orderd::plugins {

class ExternalStep final : public StepPort, public CompletionTarget {
 public:
  /// `instance` outlives it; `traits` as describe_step() found them.
  ExternalStep(Instance& instance, const orderd_step_traits& traits, unsigned threads,
               const Options& options);
  ~ExternalStep() override;

  const std::string& instance() const override { return instance_.name(); }
  const std::string& digest() const override { return instance_.digest(); }
  bool supports(std::string_view action) const override;
  bool transactional() const override { return false; }
  bool can_query() const override { return (traits_.flags & ORDERD_STEP_QUERY) != 0; }
  Millis idempotency_window() const override { return Millis(traits_.idempotency_window_ms); }
  void execute(std::vector<Command> commands) override;
  std::vector<Outcome> execute_in(TxPort&, const std::vector<Command>&) override;

  orderd_status complete(orderd_ticket ticket, const orderd_outcome* outcome) override;

  /// Each thread that calls the plugin is in a call whose commands are all long overdue.
  bool hangs() const;
  /// Where outcomes go; before start(), which is behind the instance's own. drain() and join() are around its
  /// stop().
  void set_sink(CompletionSink sink) { sink_ = std::move(sink); }
  void start();
  /// Takes nothing new, gives back what was not begun, waits for the rest up to the stop limit; what is then
  /// open is UNKNOWN. False if the plugin still holds a thread: then neither the instance nor this may be
  /// destroyed.
  [[nodiscard]] bool drain();
  void join();

 private:
  struct Waiting {
    std::shared_ptr<const Command> command;  // the batch that it came with lives as long as one of its own
    orderd_ticket ticket;
  };
  void hand_over();  // threads_
  void call_here(const std::vector<Waiting>& waiting);
  orderd_status execute(const std::vector<Waiting>& batch, orderd_error& error);
  void tell_hanging();
  void ended();
  void call_plugin(std::vector<Waiting>& batch);
  void watch_deadlines();  // watcher_
  void wake_watcher();
  void give_up(orderd_ticket ticket, const OpenCall& command, bool overdue);
  void report(const OpenCall& command, Outcome outcome);
  void tell_stale();

  Instance& instance_;
  const unsigned wanted_threads_;
  const Options options_;
  const orderd_step_v1* table() const { return instance_.extension<orderd_step_v1>(ORDERD_EXT_STEP); }
  const orderd_step_traits traits_;
  CompletionSink sink_;

  OpenCalls calls_;
  BoundedQueue<Waiting> queue_;
  std::vector<std::thread> threads_;
  std::thread watcher_;
  std::atomic<std::int64_t> stale_{0}, stale_told_ms_{0};  // answers to what is not open

  mutable std::mutex mutex_;
  std::condition_variable changed_;    // an earlier deadline, a thread ended, or something while stopping
  std::size_t running_ = 0;            // threads that call or may call the plugin; guarded by mutex_
  std::atomic<bool> stopping_{false};  // set under mutex_
  struct Call {
    Time began, deadline;  // the last one of its commands
    bool told = false;
  };
  std::list<Call> under_way_;    // that have not returned; guarded by mutex_
  Time watcher_sleeps_until_{};  // guarded by mutex_; long ago while it is awake
};

}  // namespace orderd::plugins
