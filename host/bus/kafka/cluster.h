#pragma once
// What every reader and publisher of one bus shares: the settings, the topic, and what is wrong. Owned by
// KafkaBus, outlives all clients made from it. A thread of its own makes the topic and notices when troubles
// are over.
#include <atomic>
#include <condition_variable>
#include <mutex>

#include "base/worker.h"
#include "bus/kafka/kafka_bus.h"
#include "bus/kafka/problems.h"
#include "bus/kafka/settings.h"

namespace orderd::bus::kafka {

/// Throws what the constructor of Cluster throws; starts nothing.
void check(KafkaOptions options);

class Cluster {
 public:
  explicit Cluster(KafkaOptions options);

  const std::string& topic() const { return topic_; }
  std::size_t in_flight_max() const { return in_flight_max_; }
  std::chrono::milliseconds message_timeout() const { return message_timeout_; }
  /// A client whose errors arrive in `problems`. `own` are settings that win over the operator's.
  Client connect(Role role, const Properties& own) const;
  /// The topic is there with a partition for every shard. [any thread]
  bool topic_ready() const { return topic_ready_; }
  /// Waits until it is, at most `timeout`, or until `woken` is set and wake() called; whether it is. [any
  /// thread]
  bool wait_topic_ready(std::chrono::milliseconds timeout, const std::atomic<bool>* woken = nullptr);
  void wake();
  Problems& problems() const { return problems_; }

 private:
  void watch(const std::stop_token& stop);
  bool look_at_topic();
  void create_topic();

  // constant after construction
  const std::int32_t partitions_;
  const std::size_t in_flight_max_;
  Properties properties_;
  std::string topic_;
  int replication_;
  std::chrono::milliseconds message_timeout_;
  Client admin_;

  mutable Problems problems_;
  std::atomic<bool> topic_ready_{false};
  std::mutex mutex_;
  std::condition_variable_any changed_;  // with mutex_: topic_ready_, or the end
  Worker watcher_;                       // last: it uses all of the above
};

}  // namespace orderd::bus::kafka
