#pragma once
// One reader of a LogBackedBus. Owned and used by one thread.
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "bus/log_backed/log_backed_bus.h"
#include "outbox/marks.h"

namespace orderd::bus {

class LogBackedSubscription final : public Subscription {
 public:
  LogBackedSubscription(std::unique_ptr<Subscription> bus, LogBackedOptions options, std::string consumer);
  ~LogBackedSubscription() override;
  void start(std::int32_t partition, Position after) override;
  void start_at_end(std::int32_t partition) override;
  void stop(std::int32_t partition) override;
  std::vector<Record> poll(std::size_t max, std::chrono::milliseconds timeout) override;
  void wake() override { bus_->wake(); }
  std::int64_t lag() override;
  void saved(std::int32_t partition, Position position) override;

 private:
  using Steady = std::chrono::steady_clock;
  static constexpr std::int64_t not_known = -1;
  static constexpr int unchanged_looks_max = 3;

  /// One partition that is read.
  struct Line {
    bool follows = true;                                 // false: a tail, which misses nothing
    Position after = 0;                                  // where it was started
    bool begun = false;                                  // `delivered` is known from the mark
    std::int64_t delivered = not_known;                  // everything up to here was handed out
    std::int64_t wanted = not_known;                     // to be read from the log up to here
    std::deque<std::pair<Position, std::int64_t>> sent;  // records and `delivered` behind them; not saved yet
    int unchanged = 0;                                   // looks since `delivered` moved
    std::int64_t looked_at = not_known;
  };

  std::vector<Record> read(std::size_t max, std::chrono::milliseconds timeout);
  store::Connection& connection();
  void begin_lines();
  void begin(std::int32_t partition, Line& line, const std::map<std::int16_t, std::int64_t>& marks);
  void look();
  void save_marks();
  bool fill(std::size_t max, std::vector<Record>& out);
  void judge(std::vector<Record> records);
  void place(std::vector<Record*>& doubtful);
  bool take(Record& record, std::vector<Record>& out);
  void refuse(const Record& record);
  void say_lacking(std::int32_t partition, const Line& line);

  const std::unique_ptr<Subscription> bus_;
  const LogBackedOptions options_;
  const std::string consumer_;
  std::unique_ptr<store::Connection> connection_;
  std::map<std::int32_t, Line> lines_;
  std::deque<Record> queue_;      // of the bus, known to be in the log, not handed out yet
  std::vector<Record> unjudged_;  // of the bus: the database was away when it came
  outbox::LogState state_;
  bool state_known_ = false;
  std::map<std::int16_t, std::int64_t> marks_;  // moved and not stored yet
  Steady::time_point look_at_{}, refused_said_{};
  bool away_ = false;
  Metrics::Counter &from_log_, &refused_;
};

}  // namespace orderd::bus
