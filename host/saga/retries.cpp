// What could not be written with the others: behind what happened meanwhile, in smaller parts, alone, later.
#include <algorithm>

#include "base/log.h"
#include "saga/engine.h"

namespace orderd::saga {

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

void Engine::in_halves(const std::vector<Task>& tasks) {
  if (tasks.empty()) return;
  if (tasks.size() == 1) return alone(tasks.front());
  const auto middle = tasks.begin() + static_cast<std::ptrdiff_t>(tasks.size() / 2);
  for (const auto& half :
       {std::vector<Task>(tasks.begin(), middle), std::vector<Task>(middle, tasks.end())}) {
    try {
      write(half, saved_);
    } catch (const StoreError& error) {
      if (error.kind == StoreError::Kind::lost) throw;
      in_halves(half);
    }
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
      log(error.kind == StoreError::Kind::conflict ? LogLevel::info : LogLevel::error, "saga",
          "an order's change cannot be written",
          {{"order", task.order_id.to_string()}, {"error", error.what()}});
      // What it was admitted for did not go out; a call that is out already stays so.
      const auto live = live_.find(task.order_id);
      if (live == live_.end() || !is_out(live->second.saga)) gate_.give_back(task.order_id);
      task.admitted = false;
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

/// A row of the inbox stays there, and is read again; all else waits here.
void Engine::later(Task task) {
  if (task.inbox != 0) return inbox_.later(task.inbox, clock_.now());
  const Millis wait =
      std::min(Millis(30'000), Millis(500) * (1 << std::min<std::uint32_t>(task.failures++, 6)));
  again_.emplace_back(clock_.now() + wait, std::move(task));
}

}  // namespace orderd::saga
