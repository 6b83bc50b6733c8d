#pragma once
// The event bus on Kafka: librdkafka behind the port of bus/event_bus.h, for several machines.
//
// 1. The bus makes sure, in a thread of its own, that the topic is there with a partition for every shard;
//    until it is, readers deliver nothing and the publisher takes nothing. Nothing here ever waits for a
//    broker but `poll`.
// 2. A record's partition is its order's shard, its key the order's id, its headers a CloudEvent
//    (cloud_event.h).
// 3. Readers own nothing in Kafka: partitions are owned by leases in PostgreSQL, so they are assigned by
//    hand and read from the position the consumer saved there. Offsets are committed too, for lag tools
//    alone.
// 4. A position that Kafka no longer has (retention) falls to the earliest record it still has. What is
//    missing is noticed, and read from `order_events`, by bus/log_backed, which stands between this and the
//    consumers.
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "bus/event_bus.h"

namespace orderd::bus {

namespace kafka {
class Cluster;
}

struct KafkaOptions {
  /// Every `kafka.*` key of the configuration without its prefix. `topic` and `topic.replication` are ours,
  /// the rest goes to librdkafka unchanged.
  std::map<std::string, std::string> properties;
  std::int32_t partitions = 1;                   // the shards; the topic may have more
  std::size_t publisher_in_flight_max = 10'000;  // events handed over and not yet acknowledged
};

class KafkaBus final : public EventBus {
 public:
  /// Throws std::invalid_argument for a key or file that cannot be right; an unreachable broker is no such
  /// thing.
  explicit KafkaBus(KafkaOptions options);
  /// Throws what the constructor throws, and makes nothing.
  static void check(KafkaOptions options);
  ~KafkaBus() override;
  std::unique_ptr<Subscription> subscribe(const std::string& consumer) override;
  std::unique_ptr<Publisher> make_publisher();
  const char* name() const override { return "kafka"; }
  /// What is wrong with Kafka now, for a person, or "". [any thread]
  std::string last_problem() const;
  /// The topic is there and has enough partitions. [any thread]
  bool ready() const;

 private:
  std::unique_ptr<kafka::Cluster> cluster_;
};

}  // namespace orderd::bus
