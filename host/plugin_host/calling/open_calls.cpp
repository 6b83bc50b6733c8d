#include "plugin_host/calling/open_calls.h"

#include <atomic>

#include "base/fault.h"

namespace orderd::plugins {
namespace {

/// Over all instances, so that one instance's ticket never fits another's table.
std::uint64_t next_generation() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

/// How soon a plugin that took nothing is asked again.
constexpr Millis not_begun_retry_after{200};

}  // namespace

Outcome not_begun(const std::string& code, const std::string& message) {
  Outcome outcome;
  outcome.kind = OutcomeKind::retry;
  outcome.code = code;
  outcome.message = message;
  outcome.retry_after = not_begun_retry_after;
  return outcome;
}

Outcome unknown_outcome(const std::string& code, const std::string& message) {
  Outcome outcome;
  outcome.code = code;
  outcome.message = message;
  return outcome;
}

orderd_ticket OpenCalls::open(OpenCall command) {
  std::lock_guard lock(mutex_);
  return open_locked(std::move(command));
}

orderd_ticket OpenCalls::open_locked(OpenCall command) {
  if (free_.empty()) {
    free_.push_back(slots_.size());
    slots_.emplace_back();
  }
  const orderd_ticket ticket{free_.back(), next_generation()};
  free_.pop_back();
  if (!command.batch_index) {
    by_deadline_[{command.deadline, ticket.generation}] = ticket.slot;
    by_key_.emplace(command.key, ticket.slot);
  }
  slots_[ticket.slot] = {ticket.generation, std::move(command)};
  return ticket;
}

OpenCalls::Slot* OpenCalls::find(orderd_ticket ticket) {
  if (ticket.slot >= slots_.size() || ticket.generation == 0) return nullptr;
  Slot& slot = slots_[ticket.slot];
  return slot.generation == ticket.generation ? &slot : nullptr;
}

bool OpenCalls::begin_locked(orderd_ticket ticket, Time now) {
  Slot* slot = find(ticket);
  const bool overdue = slot && slot->command.deadline <= now && !fault::mutation("overdue_handed_over");
  if (!slot || overdue) return false;
  return slot->command.begun = true;
}

std::optional<OpenCall> OpenCalls::close_locked(orderd_ticket ticket) {
  Slot* slot = find(ticket);
  if (!slot) return std::nullopt;
  by_deadline_.erase({slot->command.deadline, ticket.generation});
  const auto [first, last] = by_key_.equal_range(slot->command.key);
  for (auto at = first; at != last; ++at)
    if (at->second == ticket.slot) {
      by_key_.erase(at);
      break;
    }
  slot->generation = 0;
  free_.push_back(ticket.slot);
  return std::move(slot->command);
}

std::optional<std::pair<orderd_ticket, OpenCall>> OpenCalls::find(const std::string& key,
                                                                  const Uuid& order_id) const {
  std::lock_guard lock(mutex_);
  const auto [first, last] = by_key_.equal_range(key);
  for (auto at = first; at != last; ++at)
    if (const Slot& slot = slots_[at->second]; slot.command.order_id == order_id)
      return std::pair(orderd_ticket{at->second, slot.generation}, slot.command);
  return std::nullopt;
}

std::optional<OpenCall> OpenCalls::close(orderd_ticket ticket) {
  std::lock_guard lock(mutex_);
  return close_locked(ticket);
}

std::vector<std::pair<orderd_ticket, OpenCall>> OpenCalls::close_overdue(Time now) {
  std::vector<std::pair<orderd_ticket, OpenCall>> closed;
  std::lock_guard lock(mutex_);
  while (!by_deadline_.empty() && by_deadline_.begin()->first.first <= now) {
    const auto& [key, slot] = *by_deadline_.begin();
    const orderd_ticket ticket{slot, key.second};
    closed.emplace_back(ticket, *close_locked(ticket));
    late_.insert(ticket.generation);
    if (late_.size() > late_kept_max) late_.erase(late_.begin());
  }
  return closed;
}

bool OpenCalls::was_late(orderd_ticket ticket) {
  std::lock_guard lock(mutex_);
  return late_.erase(ticket.generation) > 0;
}

std::optional<Time> OpenCalls::next_deadline() const {
  std::lock_guard lock(mutex_);
  if (by_deadline_.empty()) return std::nullopt;
  return by_deadline_.begin()->first.first;
}

std::size_t OpenCalls::size() const {
  std::lock_guard lock(mutex_);
  return slots_.size() - free_.size();
}

}  // namespace orderd::plugins
