#pragma once
// One reader: a Kafka consumer that belongs to no group and reads the partitions that were started. Owned
// and used by one thread.
#include <map>

#include "bus/event_bus.h"
#include "bus/kafka/cluster.h"

namespace orderd::bus::kafka {

class KafkaSubscription final : public Subscription {
 public:
  KafkaSubscription(Cluster& cluster, const std::string& consumer);
  void start(std::int32_t partition, Position after) override;
  void start_at_end(std::int32_t partition) override;
  void stop(std::int32_t partition) override;
  std::vector<Record> poll(std::size_t max, std::chrono::milliseconds timeout) override;
  void wake() override;
  std::int64_t lag() override;
  void saved(std::int32_t partition, Position position) override;

 private:
  using Steady = std::chrono::steady_clock;
  void assign(std::int32_t partition, std::int64_t offset);
  void unassign(std::int32_t partition);
  bool begin_waiting(std::chrono::milliseconds timeout);
  void find_ends();
  std::map<std::int32_t, std::int64_t> offsets_at(const std::map<std::int32_t, std::int64_t>& times,
                                                  std::chrono::milliseconds timeout);
  std::size_t fetch(std::size_t max, std::chrono::milliseconds timeout, std::vector<Record>& records);
  void take_error(const rd_kafka_message_t& message);
  void commit();

  Cluster& cluster_;
  const bool commits_;  // a consumer with a name
  Client consumer_;
  Queue queue_;
  std::map<std::int32_t, std::int64_t> assigned_;  // what is read now, and the next offset; below 0: unknown
  std::map<std::int32_t, Position> waiting_;       // to be read behind this position, once the topic is there
  struct End {
    std::int64_t since_ms;  // when start_at_end was called
    bool late;              // Kafka could not be asked at once
  };
  std::map<std::int32_t, End> ends_;        // to be read from their end, once Kafka told where that is
  std::map<std::int32_t, Position> saved_;  // not yet committed
  Steady::time_point commit_at_{};
  std::atomic<bool> woken_{false};            // wake() was called, poll has not returned since
  std::vector<rd_kafka_message_t*> fetched_;  // empty between calls; kept for its memory
};

}  // namespace orderd::bus::kafka
