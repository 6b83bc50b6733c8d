#pragma once
// The calls of one instance that are open: who has the right and the duty to say what came of each, and what
// is said of those that were not begun, that nobody answers, or that died with a process. A table of slots
// with generations: a ticket that is not, or no longer, open is recognised by its generation, which no other
// ticket of this process has; nothing is ever dereferenced. Time comes in. [any thread]
#include <orderd/command.h>

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/uuid.h"
#include "model/step.h"

namespace orderd::plugins {

/// RETRY, soon: the call surely had no effect.
Outcome not_begun(const std::string& code, const std::string& message);
/// UNKNOWN: the call may have had its effect.
Outcome unknown_outcome(const std::string& code, const std::string& message);

/// What the host remembers of an open call.
struct OpenCall {
  /// For an external step.
  static OpenCall of(const Command& command) {
    return {command.order_id, command.key, !command.query_key.empty(), command.deadline, false, {}, {}};
  }
  Uuid order_id;
  std::string key;
  bool query = false;
  Time deadline{};
  bool begun = false;                        // handed over to the plugin
  std::optional<std::size_t> batch_index{};  // transactional: its place in the call under way
  std::thread::id thread{};                  // transactional: the only thread that may complete it
};

class OpenCalls {
 public:
  static constexpr std::size_t late_kept_max = 10'000;

  orderd_ticket open(OpenCall command);
  /// A batch at once; `i.ticket` becomes the ticket of the i-th item, `remember(item)` is what is remembered.
  template <typename Item, typename Remember>
  void open_all(std::vector<Item>& items, const Remember& remember) {
    std::lock_guard lock(mutex_);
    for (Item& item : items) item.ticket = open_locked(remember(item));
  }
  /// Marks a batch as handed over; removes the items whose ticket is not open any more, or whose deadline is
  /// not after `now`: those stay open, as not begun.
  template <typename Item>
  void begin_all(std::vector<Item>& items, Time now) {
    std::lock_guard lock(mutex_);
    std::erase_if(items, [&](const Item& item) { return !begin_locked(item.ticket, now); });
  }
  /// What was begun was not handed over after all.
  template <typename Item>
  void take_back(const std::vector<Item>& items) {
    std::lock_guard lock(mutex_);
    for (const Item& item : items)
      if (Slot* slot = find(item.ticket)) slot->command.begun = false;
  }
  /// One open call of this key and order: for answers that name no ticket. nullopt: none is.
  std::optional<std::pair<orderd_ticket, OpenCall>> find(const std::string& key, const Uuid& order_id) const;
  /// Ends it: the caller alone now has the right and the duty to say what came of it. nullopt: not open.
  std::optional<OpenCall> close(orderd_ticket ticket);
  /// Ends those whose deadline is not after `now`, or all of them.
  std::vector<std::pair<orderd_ticket, OpenCall>> close_overdue(Time now);
  /// Whether it was open and its time was up: an answer that comes late, and not a wrong one. True once for
  /// each; the newest late_kept_max are known.
  bool was_late(orderd_ticket ticket);
  std::vector<std::pair<orderd_ticket, OpenCall>> close_all() { return close_overdue(Time::max()); }
  std::optional<Time> next_deadline() const;
  std::size_t size() const;

 private:
  struct Slot {
    std::uint64_t generation = 0;  // 0: free
    OpenCall command;
  };
  orderd_ticket open_locked(OpenCall command);
  bool begin_locked(orderd_ticket ticket, Time now);
  std::optional<OpenCall> close_locked(orderd_ticket ticket);
  Slot* find(orderd_ticket ticket);

  mutable std::mutex mutex_;
  std::vector<Slot> slots_;          // guarded by mutex_
  std::vector<std::uint64_t> free_;  // guarded by mutex_
  std::set<std::uint64_t> late_;     // generations that close_overdue() ended; guarded by mutex_
  std::unordered_multimap<std::string, std::uint64_t> by_key_;  // → slot; external commands only; likewise
  /// Deadline and generation → slot; external commands only. Guarded by mutex_.
  std::map<std::pair<Time, std::uint64_t>, std::uint64_t> by_deadline_;
};

}  // namespace orderd::plugins
