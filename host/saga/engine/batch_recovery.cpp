// What could not be written with the others: behind what happened meanwhile, in smaller parts, alone, later.
#include <algorithm>

#include "base/log_summed.h"
#include "saga/engine/engine.h"

namespace orderd::saga {
namespace {

constexpr Millis blocked_again{500}, blocked_longest{8'000};
constexpr std::uint32_t absent_tries = 20;  // about two minutes

}  // namespace

/// What is wrong with one order is that order's: the others are written without it. Memory is everybody's.
void Engine::write(const std::vector<Task>& tasks, const Positions& positions) {
  try {
    write_all(tasks, positions);
  } catch (const StoreError&) { throw; } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) { throw StoreError(StoreError::Kind::refused, error.what()); }
}

/// Of some hundred orders one is often cancelled while they are decided: what happened is decided with it.
/// False when nobody was quicker.
bool Engine::add_cancellations(std::vector<Task>& tasks) {
  std::vector<Uuid> ids;
  for (const Task& task : tasks)
    if (live_.contains(task.order_id)) ids.push_back(task.order_id);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::vector<Task> cancels;
  for (const auto& [id, order] : store_.look_up(ids))
    if (order.cancel_version > live_.at(id).saga.version) cancels.push_back({id, cancel_of(order)});
  tasks.insert(tasks.begin(), cancels.begin(), cancels.end());
  return !cancels.empty();
}

void Engine::in_halves(std::vector<Task> tasks) {
  wait_behind(tasks);
  if (blocked_.out_of_patience()) {
    for (Task& task : tasks) set_aside(std::move(task), clock_.now() + blocked_again);
    return;
  }
  if (tasks.empty()) return;
  if (tasks.size() == 1) return alone(tasks.front());
  const auto middle = tasks.begin() + static_cast<std::ptrdiff_t>(tasks.size() / 2);
  for (auto& half : {std::vector<Task>(tasks.begin(), middle), std::vector<Task>(middle, tasks.end())}) {
    try {
      if (half.size() > 1 && !blocked_.out_of_patience()) {
        write(half, saved_);
        continue;
      }
    } catch (const StoreError& error) {
      if (error.kind == StoreError::Kind::lost) throw;
      if (error.kind == StoreError::Kind::blocked) blocked_.failed();
    }
    in_halves(half);
  }
}

void Engine::alone(Task task) {
  for (int attempt = 0;; ++attempt) {
    try {
      return write({task}, saved_);
    } catch (const StoreError& error) {
      if (error.kind == StoreError::Kind::lost) throw;
      if (error.kind == StoreError::Kind::conflict && attempt < 5) {
        // The buyer was quicker: take the cancellation first, then decide on the same input again.
        const auto stored = store_.look_up({task.order_id});
        const auto order = stored.find(task.order_id);
        if (order != stored.end() && order->second.cancel_version > 0 && live_.contains(task.order_id)) {
          try {
            write({{task.order_id, cancel_of(order->second)}}, saved_);
          } catch (const StoreError& again) {
            if (again.kind == StoreError::Kind::lost) throw;
          }
          continue;
        }
      }
      const bool may_come = error.kind == StoreError::Kind::absent && task.failures < absent_tries;
      if (error.kind == StoreError::Kind::blocked || may_come) return stop_for_now(std::move(task), error);
      log(error.kind == StoreError::Kind::conflict ? LogLevel::info : LogLevel::error, "saga",
          "an order's change cannot be written",
          {{"order", task.order_id.to_string()}, {"error", error.what()}});
      let_others_call(task);
      const bool is_event = task.origin.version > 0;  // and not a cancellation that was looked up
      if (is_event &&
          (std::holds_alternative<Begin>(task.input) || std::holds_alternative<Cancel>(task.input))) {
        task.origin.reason = error.what();
        parking_.push_back(task.origin);
        if (task.inbox != 0) parking_rows_.push_back(task.inbox);
      } else {
        later(std::move(task));
      }
      return;
    }
  }
}

/// What it was admitted for did not go out; a call that is out already stays so.
void Engine::let_others_call(Task& task) {
  const auto live = live_.find(task.order_id);
  if (live == live_.end() || !is_out(live->second.saga)) admission_.give_back(task.order_id);
  task.admitted = false;
}

/// An order that is blocked alone, and with it those who want the goods that somebody holds.
void Engine::stop_for_now(Task task, const StoreError& error) {
  blocked_.failed();
  const Time until =
      clock_.now() + std::min(blocked_longest, blocked_again * (1 << std::min(task.failures, 4u)));
  ++task.failures;
  log_summed(LogLevel::warning, "saga",
             error.kind == StoreError::Kind::absent ? "an order waits for its plugin"
                                                    : "an order waits for the database",
             {{"order", task.order_id.to_string()}, {"error", error.what()}});
  if (const auto live = live_.find(task.order_id); error.in_plugin && live != live_.end())
    blocked_.block(*live->second.body, until);
  set_aside(std::move(task), until);
}

void Engine::set_aside(Task task, Time until) {
  let_others_call(task);
  if (task.inbox != 0) return later(std::move(task));
  task.blocked = true;
  retry_queue_.emplace_back(until, std::move(task));
}

/// Takes out what belongs to an order that is set aside, or wants goods that are: it waits with them.
void Engine::wait_behind(std::vector<Task>& tasks) {
  std::map<Uuid, std::pair<Time, std::uint32_t>> waiting;
  for (const auto& [time, task] : retry_queue_)
    if (task.blocked) waiting[task.order_id] = std::max(waiting[task.order_id], {time, task.failures});
  std::vector<Task> others;
  for (Task& task : tasks) {
    const auto live = live_.find(task.order_id);
    Time until = live == live_.end() ? Time{} : blocked_.until(*live->second.body);
    if (const auto found = waiting.find(task.order_id); found != waiting.end()) {
      until = std::max(until, found->second.first);
      task.failures = found->second.second;
    }
    if (until <= clock_.now()) {
      others.push_back(std::move(task));
      continue;
    }
    waiting[task.order_id] = {until, task.failures};
    set_aside(std::move(task), until);
  }
  tasks = std::move(others);
}

/// Those set aside whose time has come, apart from all others: first who failed least often.
void Engine::try_blocked() {
  const Time now = clock_.now();
  std::set<Uuid> due;
  for (const auto& [time, task] : retry_queue_)
    if (task.blocked && time <= now) due.insert(task.order_id);
  if (due.empty()) return;
  std::vector<Task> tasks;
  std::erase_if(retry_queue_, [&](auto& one) {
    if (!one.second.blocked || !due.contains(one.second.order_id)) return false;
    tasks.push_back(std::move(one.second));
    return true;
  });
  std::stable_sort(tasks.begin(), tasks.end(),
                   [](const Task& a, const Task& b) { return a.failures < b.failures; });
  blocked_.begin_tick(now);
  try {
    write(tasks, saved_);
  } catch (const StoreError& error) {
    if (error.kind == StoreError::Kind::lost) throw;
    if (error.kind == StoreError::Kind::blocked) blocked_.failed();
    in_halves(std::move(tasks));
  }
}

/// What was read, but never past what an order that is set aside has still to take from the log.
Positions Engine::settled() const {
  Positions out = read_;
  std::map<std::int16_t, std::int64_t> first;
  for (const auto& [time, task] : retry_queue_) {
    if (!task.blocked || task.read == 0 || !out.contains(task.origin.shard)) continue;
    const auto [found, is_new] = first.try_emplace(task.origin.shard, task.read);
    if (!is_new && found->second < task.read) continue;
    found->second = task.read;
    out[task.origin.shard] = task.before;
  }
  return out;
}

/// A row of the inbox stays there, and is read again; all else waits here.
void Engine::later(Task task) {
  if (task.inbox != 0) return inbox_.later(task.inbox, clock_.now());
  const Millis wait =
      std::min(Millis(30'000), Millis(500) * (1 << std::min<std::uint32_t>(task.failures++, 6)));
  retry_queue_.emplace_back(clock_.now() + wait, std::move(task));
}

}  // namespace orderd::saga
