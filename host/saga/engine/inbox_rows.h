#pragma once
// Where this host is in `saga_inbox`. Rows that wait (for an order that is left alone, or is still to be read
// from the log) stay in the table, and what came behind them is read all the same: new rows at once; those
// before, which waited or were committed late, in rounds. Pure. One thread, the engine's.
#include <map>
#include <vector>

#include "base/clock.h"
#include "saga/storage/records.h"

namespace orderd::saga {

class InboxRows {
 public:
  InboxPlace place() const;
  /// `read` is what place() led to, at most `limit` of each part. Returns what is to be taken now: it counts
  /// as under way.
  std::vector<InboxItem> take(std::vector<InboxItem> read, std::size_t limit, Time now);
  /// Cannot be taken yet: is read again, later each time.
  void later(std::int64_t id, Time now);
  /// It is gone, or to be read again at once.
  void forget(std::int64_t id) { rows_.erase(id); }
  void drop(std::int16_t shard);
  /// There may be rows of any age again: a shard came.
  void begin_again();

 private:
  struct Row {
    std::int16_t shard = 0;
    int failures = 0;
    bool under_way = true;
    Time again{};
  };
  std::map<std::int64_t, Row> rows_;
  // An identity's numbers are given before COMMIT: up to settled_ (older than a second) late ones are looked
  // for in rounds.
  std::int64_t settled_ = 0, settling_ = 0, highest_ = 0, swept_ = 0;
  Time settled_at_{};
};

}  // namespace orderd::saga
