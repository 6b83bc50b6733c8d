#pragma once
// The world's log as a bus.
#include "bus/event_bus.h"
#include "support/saga_tables.h"

namespace orderd::saga::test {

/// The log as a bus.
class MemoryBus final : public bus::Subscription {
 public:
  explicit MemoryBus(const Tables& tables) : tables_(tables) {}
  void start(std::int32_t, bus::Position after) override { next_ = after + 1; }
  void start_at_end(std::int32_t) override { next_ = static_cast<std::int64_t>(tables_.log.size()); }
  void stop(std::int32_t) override { next_ = -1; }
  std::vector<bus::Record> poll(std::size_t max, std::chrono::milliseconds) override {
    std::vector<bus::Record> out;
    while (next_ >= 0 && next_ < static_cast<std::int64_t>(tables_.log.size()) && out.size() < max) {
      if (!lost.contains(next_)) out.push_back({0, next_, tables_.log[static_cast<std::size_t>(next_)], {}});
      ++next_;
    }
    return out;
  }
  void wake() override {}
  void saved(std::int32_t, bus::Position) override {}

  std::set<std::int64_t> lost;  // positions that are never delivered

 private:
  const Tables& tables_;
  std::int64_t next_ = -1;
};

}  // namespace orderd::saga::test
