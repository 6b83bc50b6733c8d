#pragma once
// The open commands of one instance: a table of slots with generations. A ticket that is not, or no longer,
// open is told from one that is by its generation, which no other ticket of this process has; nothing is ever
// dereferenced. [any thread]
#include <orderd/command.h>

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/uuid.h"

namespace orderd::plugins {

/// What the host remembers of an open command.
struct OpenCommand {
  Uuid order_id;
  std::string key;
  bool query = false;
  Time deadline{};
  bool begun = false;                        // handed over to the plugin
  std::optional<std::size_t> batch_index{};  // transactional: its place in the call under way
  std::thread::id thread{};                  // transactional: the only thread that may complete it
};

class Tickets {
 public:
  static constexpr std::size_t late_kept_max = 10'000;

  orderd_ticket open(OpenCommand command);
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
  /// Ends it: the caller alone now has the right and the duty to say what came of it. nullopt: not open.
  std::optional<OpenCommand> close(orderd_ticket ticket);
  /// Ends those whose deadline is not after `now`, or all of them.
  std::vector<std::pair<orderd_ticket, OpenCommand>> close_overdue(Time now);
  /// Whether it was open and its time was up: an answer that comes late, and not a wrong one. True once for
  /// each; the newest late_kept_max are known.
  bool was_late(orderd_ticket ticket);
  std::vector<std::pair<orderd_ticket, OpenCommand>> close_all() { return close_overdue(Time::max()); }
  std::optional<Time> next_deadline() const;
  std::size_t size() const;

 private:
  struct Slot {
    std::uint64_t generation = 0;  // 0: free
    OpenCommand command;
  };
  orderd_ticket open_locked(OpenCommand command);
  bool begin_locked(orderd_ticket ticket, Time now);
  std::optional<OpenCommand> close_locked(orderd_ticket ticket);
  Slot* find(orderd_ticket ticket);

  mutable std::mutex mutex_;
  std::vector<Slot> slots_;          // guarded by mutex_
  std::vector<std::uint64_t> free_;  // guarded by mutex_
  std::set<std::uint64_t> late_;     // generations that close_overdue() ended; guarded by mutex_
  /// Deadline and generation → slot; external commands only. Guarded by mutex_.
  std::map<std::pair<Time, std::uint64_t>, std::uint64_t> by_deadline_;
};

}  // namespace orderd::plugins
