#pragma once
#include "bus/event_bus.h"
#include "stages/support.h"

namespace orderd::test {

/// Reads the outbox itself, behind where it was told to start.
class OutboxReader final : public bus::Subscription {
 public:
  explicit OutboxReader(store::Connection& connection) : connection_(connection) {}
  void start(std::int32_t partition, bus::Position after) override { after_[partition] = after; }
  void start_at_end(std::int32_t) override {}
  void stop(std::int32_t partition) override { after_.erase(partition); }
  std::vector<bus::Record> poll(std::size_t max, std::chrono::milliseconds) override {
    std::vector<outbox::From> from;
    for (const auto& [partition, after] : after_)
      from.push_back({static_cast<std::int16_t>(partition), after});
    std::vector<bus::Record> records;
    if (from.empty()) return records;
    for (auto& entry : outbox::read(connection_, from, static_cast<int>(max))) {
      after_[entry.shard] = entry.pos;
      records.push_back({entry.shard, entry.pos, std::move(entry.event), ""});
    }
    return records;
  }
  void wake() override {}
  void saved(std::int32_t, bus::Position) override {}

 private:
  store::Connection& connection_;
  std::map<std::int32_t, bus::Position> after_;
};

}  // namespace orderd::test
