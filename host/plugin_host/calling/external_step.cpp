#include "plugin_host/calling/external_step.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/log_summed.h"
#include "plugin_host/calling/fill_error.h"
#include "plugin_host/calling/translate.h"
#include "plugin_ports/error.h"

namespace orderd::plugins {
namespace {

/// Commands handed over in one call.
constexpr std::size_t batch_commands_max = 64;
/// How long behind its last command's deadline a call that has not returned is logged.
constexpr Millis hanging_after{1000};
/// ... and counts as one that will not.
constexpr Millis hangs_after{5000};
/// The longest a thread sleeps without looking.
constexpr Millis idle_wait{500};

}  // namespace

ExternalStep::ExternalStep(Instance& instance, const orderd_step_traits& traits, unsigned threads,
                           const Options& options)
    : instance_(instance),
      wanted_threads_(threads),
      options_(options),
      traits_(traits),
      queue_(options.commands_queued_max) {
  instance_.set_completion_target(this);
}

ExternalStep::~ExternalStep() {
  if (!drain()) std::terminate();  // the Registry keeps such a one for ever
  join();
}

bool ExternalStep::supports(std::string_view action) const {
  const auto held = instance_.held();
  return instance_.plugin() && table()->supports(instance_.plugin(), to_view(action)) != 0;
}

std::vector<Outcome> ExternalStep::execute_in(TxPort&, const std::vector<Command>&) {
  throw std::logic_error("execute_in() on an external step: " + instance_.name());
}

void ExternalStep::start() {
  running_ = wanted_threads_;
  for (unsigned i = 0; i < wanted_threads_; ++i) threads_.emplace_back([this] { hand_over(); });
  watcher_ = std::thread([this] { watch_deadlines(); });
}

void ExternalStep::execute(std::vector<Command> commands) {
  if (instance_.down()) {
    for (const Command& command : commands)
      report(OpenCall::of(command), not_begun("NOT_STARTED", instance_.down_problem()));
    return;
  }
  for (const Command& command : commands) instance_.has_token(command.secret_json);
  const auto batch = std::make_shared<const std::vector<Command>>(std::move(commands));
  std::vector<Waiting> waiting;
  waiting.reserve(batch->size());
  for (const Command& command : *batch) waiting.push_back({{batch, &command}, {}});
  calls_.open_all(waiting, [](const Waiting& one) { return OpenCall::of(*one.command); });
  if (wanted_threads_ == 0) return call_here(waiting);
  for (std::size_t i = queue_.push_all(waiting); i < waiting.size(); ++i)
    if (const auto open = calls_.close(waiting[i].ticket))
      report(*open, not_begun("BUSY", "plugin instance " + instance_.name() + " has " +
                                          std::to_string(options_.commands_queued_max) +
                                          " commands waiting, or is stopping"));
  wake_watcher();
}

/// Only if there is a deadline before the time until which the watcher sleeps: most calls need no wake.
void ExternalStep::wake_watcher() {
  const auto next = calls_.next_deadline();
  std::lock_guard lock(mutex_);
  if (next && *next < watcher_sleeps_until_) changed_.notify_all();
}

void ExternalStep::hand_over() {
  while (!queue_.closed()) {
    std::vector<Waiting> batch = queue_.take(batch_commands_max, idle_wait);
    if (stopping_) {
      for (const Waiting& waiting : batch)
        if (const auto open = calls_.close(waiting.ticket)) give_up(waiting.ticket, *open, false);
      continue;
    }
    calls_.begin_all(batch, now());
    if (!batch.empty()) call_plugin(batch);
  }
  ended();
}

/// As hand_over(), on the thread that has the commands.
void ExternalStep::call_here(const std::vector<Waiting>& waiting) {
  {
    std::lock_guard lock(mutex_);
    ++running_;
  }
  wake_watcher();
  if (stopping_)
    for (const Waiting& one : waiting)
      if (const auto open = calls_.close(one.ticket)) give_up(one.ticket, *open, false);
  for (std::size_t first = 0; first < waiting.size(); first += batch_commands_max) {
    const auto begin = waiting.begin() + static_cast<std::ptrdiff_t>(first);
    std::vector<Waiting> batch(
        begin, begin + static_cast<std::ptrdiff_t>(std::min(batch_commands_max, waiting.size() - first)));
    calls_.begin_all(batch, now());
    if (!batch.empty()) call_plugin(batch);
  }
  ended();
}

void ExternalStep::ended() {
  std::lock_guard lock(mutex_);
  --running_;
  if (stopping_) changed_.notify_all();
}

orderd_status ExternalStep::execute(const std::vector<Waiting>& batch, orderd_error& error) {
  AbiCommands commands(batch.size());
  Call call{now(), {}};
  for (const Waiting& waiting : batch) {
    commands.add(*waiting.command, waiting.ticket);
    call.deadline = std::max(call.deadline, waiting.command->deadline);
  }
  std::unique_lock lock(mutex_);
  const auto under_way = under_way_.insert(under_way_.end(), call);
  lock.unlock();
  orderd_status status = ORDERD_E_INTERNAL;
  ORDERD_FAULT_POINT("step.before_call");
  try {
    status = table()->execute(instance_.plugin(), commands.data(), commands.size(), &error);
  } catch (...) {
    fill_error(&error, "EXCEPTION", "an exception left execute()");
    instance_.misbehaving("an exception left execute()");
  }
  ORDERD_FAULT_POINT("step.after_call");
  lock.lock();
  under_way_.erase(under_way);
  return status;
}

bool ExternalStep::hangs() const {
  const Time at = now();
  std::lock_guard lock(mutex_);
  const auto held = std::count_if(under_way_.begin(), under_way_.end(),
                                  [&](const Call& one) { return at - one.deadline > hangs_after; });
  return held > 0 && static_cast<unsigned>(held) >= wanted_threads_;
}

/// Once for each call.
void ExternalStep::tell_hanging() {
  const Time at = now();
  std::vector<std::string> news;
  {
    std::lock_guard lock(mutex_);
    for (Call& one : under_way_) {
      if (one.told || at - one.deadline < hanging_after) continue;
      one.told = true;
      news.push_back("execute() has not returned for " + std::to_string((at - one.began).count()) +
                     " ms, and all of its commands are overdue; " + std::to_string(under_way_.size()) +
                     " of " + std::to_string(wanted_threads_) + " threads are in it");
    }
  }
  for (const std::string& one : news) instance_.misbehaving(one);
}

void ExternalStep::call_plugin(std::vector<Waiting>& batch) {
  orderd_error error;
  ORDERD_CLEAR(error);
  const orderd_status status = execute(batch, error);
  if (status == ORDERD_OK) return;
  const bool refused =
      status == ORDERD_E_BUSY || status == ORDERD_E_UNSUPPORTED || status == ORDERD_E_INVALID;
  const std::string why =
      "execute() answered " + std::to_string(status) + " " + instance_.masked(one_line(message_of(error)));
  for (const Waiting& waiting : batch) {
    const auto open = calls_.close(waiting.ticket);
    if (!open && calls_.was_late(waiting.ticket)) continue;
    if (!open)
      instance_.misbehaving("it refused a batch of which it had completed a command",
                            waiting.command->order_id.to_string());
    else
      report(*open, refused ? not_begun("REFUSED", why) : unknown_outcome("PLUGIN_FAILED", why));
  }
}

orderd_status ExternalStep::complete(orderd_ticket ticket, const orderd_outcome* given) {
  const auto open = calls_.close(ticket);
  if (!open) {
    if (calls_.was_late(ticket))
      log_summed(LogLevel::warning, "plugin", "an answer came after its command's deadline",
                 {{"instance", instance()}});
    else
      tell_stale();
    return ORDERD_E_STALE;
  }
  Outcome outcome;
  std::string problem;
  const bool sound = read_outcome(given, open->query, outcome, problem);
  if (!sound) instance_.misbehaving("its outcome makes no sense: " + problem, open->order_id.to_string());
  outcome.message = instance_.masked(std::move(outcome.message));
  report(*open, std::move(outcome));
  return sound ? ORDERD_OK : ORDERD_E_INVALID;
}

/// Once a second: whatever does this does it often.
void ExternalStep::tell_stale() {
  const auto count = stale_.fetch_add(1) + 1;
  const std::int64_t now_ms = now().time_since_epoch().count();
  std::int64_t told_ms = stale_told_ms_;
  if (now_ms - told_ms < 1000 || !stale_told_ms_.compare_exchange_strong(told_ms, now_ms)) return;
  instance_.misbehaving("it completed a ticket that is not open: done before, or not its own (" +
                        std::to_string(count) + " so far)");
}

void ExternalStep::report(const OpenCall& command, Outcome outcome) {
  ORDERD_FAULT_POINT("step.before_completion");
  sink_({command.order_id, command.key, std::move(outcome), instance_.digest()});
  ORDERD_FAULT_POINT("step.after_completion");
  if (!stopping_) return;
  std::lock_guard lock(mutex_);
  changed_.notify_all();
}

void ExternalStep::give_up(orderd_ticket ticket, const OpenCall& command, bool overdue) {
  if (!command.begun)
    return report(command, not_begun("NOT_BEGUN", "the command waited until its deadline or the stop"));
  report(command, unknown_outcome(overdue ? "TIMEOUT" : "STOPPED", "the plugin did not answer in time"));
  if (!table()->cancel) return;
  try {
    table()->cancel(instance_.plugin(), ticket);
  } catch (...) { instance_.misbehaving("an exception left cancel()"); }
}

void ExternalStep::watch_deadlines() {
  for (;;) {
    for (const auto& [ticket, command] : calls_.close_overdue(now())) give_up(ticket, command, true);
    tell_hanging();
    std::unique_lock lock(mutex_);
    if (stopping_ && running_ == 0 && calls_.size() == 0) return;
    const auto next = calls_.next_deadline();
    const Millis wait = next ? std::clamp(*next - now(), Millis(1), idle_wait) : idle_wait;
    watcher_sleeps_until_ = now() + wait;
    changed_.wait_for(lock, wait);
    watcher_sleeps_until_ = {};
  }
}

bool ExternalStep::drain() {
  std::unique_lock lock(mutex_);
  if (!stopping_.exchange(true)) {
    queue_.close();
    changed_.notify_all();
  }
  changed_.wait_for(lock, options_.stop_limit, [&] { return running_ == 0 && calls_.size() == 0; });
  lock.unlock();
  for (const auto& [ticket, command] : calls_.close_all()) give_up(ticket, command, false);
  lock.lock();
  changed_.wait_for(lock, idle_wait, [&] { return running_ == 0; });
  return running_ == 0;
}

void ExternalStep::join() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  if (watcher_.joinable()) watcher_.join();
}

}  // namespace orderd::plugins
