#include "saga/engine/batches.h"

#include <algorithm>

#include "base/fault.h"
#include "base/log.h"
#include "base/log_summed.h"
#include "saga/engine/tick.h"

namespace orderd::saga {
namespace {

constexpr int batch_attempts_max = 3;
constexpr Millis blocked_again{500}, blocked_longest{8'000};
constexpr std::uint32_t absent_tries = 20;  // about two minutes

int rank(const Task& task) {
  if (std::holds_alternative<Begin>(task.input)) return 0;
  return std::holds_alternative<Cancel>(task.input) ? 1 : 2;
}

}  // namespace

/// What is wrong with one order is that order's: the others are written without it. Memory is everybody's.
void Batches::write(const std::vector<Task>& tasks, const Positions& positions) {
  try {
    Tick(set_).write(tasks, positions);
  } catch (const StoreError&) { throw; } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) { throw StoreError(StoreError::Kind::refused, error.what()); }
}

void Batches::take(std::vector<Task> tasks) {
  wait_behind(tasks);
  // A cancellation is in the order's history already: what else came in with it is decided behind it, so that
  // no forward step starts after it. Only the order's beginning goes before.
  std::stable_sort(tasks.begin(), tasks.end(),
                   [](const Task& a, const Task& b) { return rank(a) < rank(b); });
  for (int attempt = 1;; ++attempt) {
    try {
      return write(tasks, set_.settled());
    } catch (const StoreError& error) {
      const bool blocked = error.kind == StoreError::Kind::blocked;
      if (error.kind == StoreError::Kind::lost || (blocked && fault::mutation("blocked_order_holds_others")))
        throw;
      const bool again = error.kind == StoreError::Kind::conflict && attempt < batch_attempts_max;
      if (again && add_cancellations(tasks)) continue;
      if (blocked) set_.blocked.failed();
      log_info("saga", "a batch failed, doing it in halves",
               {{"orders", std::to_string(tasks.size())}, {"error", error.what()}});
      break;
    }
  }
  in_halves(std::move(tasks));
  // Only now: what was refused is parked or set aside, so nothing is passed over.
  write({}, set_.settled());
}

void Batches::in_parts(const std::vector<Task>& tasks) {
  for (std::size_t at = 0; at < tasks.size(); at += set_.options.orders_per_tick_max) {
    const auto end = std::min(tasks.size(), at + set_.options.orders_per_tick_max);
    take({tasks.begin() + static_cast<std::ptrdiff_t>(at), tasks.begin() + static_cast<std::ptrdiff_t>(end)});
  }
}

void Batches::in_halves(std::vector<Task> tasks) {
  wait_behind(tasks);
  if (set_.blocked.out_of_patience()) {
    for (Task& task : tasks) set_aside(std::move(task), set_.clock.now() + blocked_again);
    return;
  }
  if (tasks.empty()) return;
  if (tasks.size() == 1) return alone(tasks.front());
  const auto middle = tasks.begin() + static_cast<std::ptrdiff_t>(tasks.size() / 2);
  for (auto& half : {std::vector<Task>(tasks.begin(), middle), std::vector<Task>(middle, tasks.end())}) {
    try {
      if (half.size() > 1 && !set_.blocked.out_of_patience()) {
        write(half, set_.positions_saved);
        continue;
      }
    } catch (const StoreError& error) {
      if (error.kind == StoreError::Kind::lost) throw;
      if (error.kind == StoreError::Kind::blocked) set_.blocked.failed();
    }
    in_halves(half);
  }
}

void Batches::alone(Task task) {
  for (int attempt = 0;; ++attempt) {
    try {
      return write({task}, set_.positions_saved);
    } catch (const StoreError& error) {
      if (error.kind == StoreError::Kind::lost) throw;
      if (error.kind == StoreError::Kind::conflict && attempt < 5) {
        // The buyer was quicker: take the cancellation first, then decide on the same input again.
        const auto stored = set_.store.look_up({task.order_id});
        const auto order = stored.find(task.order_id);
        if (order != stored.end() && order->second.cancel_version > 0 && set_.sagas.contains(task.order_id)) {
          try {
            write({{task.order_id, cancel_of(order->second)}}, set_.positions_saved);
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
      set_.give_back_permit(task.order_id);
      const bool is_event = task.origin.version > 0;  // and not a cancellation that was looked up
      if (is_event &&
          (std::holds_alternative<Begin>(task.input) || std::holds_alternative<Cancel>(task.input))) {
        task.origin.reason = error.what();
        set_.parking.push_back(task.origin);
        if (task.inbox != 0) set_.parking_rows.push_back(task.inbox);
      } else {
        set_.later(std::move(task));
      }
      return;
    }
  }
}

/// An order that is blocked alone, and with it those who want the goods that somebody holds.
void Batches::stop_for_now(Task task, const StoreError& error) {
  set_.blocked.failed();
  const Time until =
      set_.clock.now() + std::min(blocked_longest, blocked_again * (1 << std::min(task.failures, 4u)));
  ++task.failures;
  log_summed(LogLevel::warning, "saga",
             error.kind == StoreError::Kind::absent ? "an order waits for its plugin"
                                                    : "an order waits for the database",
             {{"order", task.order_id.to_string()}, {"error", error.what()}});
  if (const auto live = set_.sagas.find(task.order_id); error.in_plugin && live != set_.sagas.end())
    set_.blocked.block(*live->second.body, until);
  set_aside(std::move(task), until);
}

void Batches::set_aside(Task task, Time until) {
  set_.give_back_permit(task.order_id);
  if (task.inbox != 0) return set_.later(std::move(task));
  task.blocked = true;
  set_.retry_queue.emplace_back(until, std::move(task));
}

/// Takes out what belongs to an order that is set aside, or wants goods that are: it waits with them.
void Batches::wait_behind(std::vector<Task>& tasks) {
  std::map<Uuid, std::pair<Time, std::uint32_t>> waiting;
  for (const auto& [time, task] : set_.retry_queue)
    if (task.blocked) waiting[task.order_id] = std::max(waiting[task.order_id], {time, task.failures});
  std::vector<Task> others;
  for (Task& task : tasks) {
    const auto live = set_.sagas.find(task.order_id);
    Time until = live == set_.sagas.end() ? Time{} : set_.blocked.until(*live->second.body);
    if (const auto found = waiting.find(task.order_id); found != waiting.end()) {
      until = std::max(until, found->second.first);
      task.failures = found->second.second;
    }
    if (until <= set_.clock.now()) {
      others.push_back(std::move(task));
      continue;
    }
    waiting[task.order_id] = {until, task.failures};
    set_aside(std::move(task), until);
  }
  tasks = std::move(others);
}

/// Those set aside whose time has come, apart from all others: first who failed least often.
void Batches::try_blocked() {
  const Time now = set_.clock.now();
  std::set<Uuid> due;
  for (const auto& [time, task] : set_.retry_queue)
    if (task.blocked && time <= now) due.insert(task.order_id);
  if (due.empty()) return;
  std::vector<Task> tasks;
  std::erase_if(set_.retry_queue, [&](auto& one) {
    if (!one.second.blocked || !due.contains(one.second.order_id)) return false;
    tasks.push_back(std::move(one.second));
    return true;
  });
  std::stable_sort(tasks.begin(), tasks.end(),
                   [](const Task& a, const Task& b) { return a.failures < b.failures; });
  set_.blocked.begin_tick(now);
  try {
    write(tasks, set_.positions_saved);
  } catch (const StoreError& error) {
    if (error.kind == StoreError::Kind::lost) throw;
    if (error.kind == StoreError::Kind::blocked) set_.blocked.failed();
    in_halves(std::move(tasks));
  }
}

/// Among some hundred orders one is often cancelled while they are decided: its cancellation is added.
/// False when nobody was quicker.
bool Batches::add_cancellations(std::vector<Task>& tasks) {
  std::vector<Uuid> ids;
  for (const Task& task : tasks)
    if (set_.sagas.contains(task.order_id)) ids.push_back(task.order_id);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::vector<Task> cancels;
  for (const auto& [id, order] : set_.store.look_up(ids))
    if (order.cancel_version > set_.sagas.at(id).saga.version) cancels.push_back({id, cancel_of(order)});
  tasks.insert(tasks.begin(), cancels.begin(), cancels.end());
  return !cancels.empty();
}

}  // namespace orderd::saga
