#pragma once
// The way from the outbox to consumers. Without a relay the log is read as it stands. With one each event
// comes at least once: a relay that dies sends again behind its saved position, so that there are duplicates,
// and first occurrences stay in the order of the log. Sagas do not get all of them: what they lack they find
// in the database.
#include <map>
#include <vector>

#include "bus/event_bus.h"
#include "model/event.h"

namespace orderd::sim {

struct World;

class Bus {
 public:
  explicit Bus(World& world) : world_(world) {}
  void turn();
  /// Everything in the log was published, and that is saved.
  bool is_idle() const;
  const std::vector<Event>& topic(std::int32_t shard) { return topics_[shard]; }
  /// The topic has lost it before the sagas read it: so some beginnings and cancellations, for good. Drawn
  /// from the order's id, so that a history without such an order is what it was.
  bool is_lost(const Event& event);

 private:
  void publish();
  World& world_;
  std::map<std::int32_t, std::vector<Event>> topics_;  // position = index
  std::size_t handed_over_ = 0, saved_ = 0;            // in the log
};

class Reader final : public bus::Subscription {
 public:
  explicit Reader(Bus& bus) : bus_(bus) {}
  void start(std::int32_t partition, bus::Position after) override { next_[partition] = after + 1; }
  void start_at_end(std::int32_t partition) override {
    next_[partition] = static_cast<bus::Position>(bus_.topic(partition).size());
  }
  void stop(std::int32_t partition) override { next_.erase(partition); }
  std::vector<bus::Record> poll(std::size_t max, std::chrono::milliseconds) override {
    std::vector<bus::Record> out;
    for (auto& [partition, next] : next_) {
      const auto& topic = bus_.topic(partition);
      for (; next < static_cast<bus::Position>(topic.size()) && out.size() < max; ++next)
        if (const Event& event = topic[static_cast<std::size_t>(next)]; !bus_.is_lost(event))
          out.push_back({partition, next, event, {}});
    }
    return out;
  }
  void wake() override {}
  void saved(std::int32_t, bus::Position) override {}

 private:
  Bus& bus_;
  std::map<std::int32_t, bus::Position> next_;
};

}  // namespace orderd::sim
