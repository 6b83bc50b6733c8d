#pragma once
// The relay's way into Kafka. Owned by the relay, used by its one thread.
//
// Events of one order must first appear in the order of their versions, whatever fails. So nothing may be
// dropped out of the middle of what was handed over: the producer is idempotent and stops for good at the
// first gap, and time-outs are kept here instead of by librdkafka, which would drop one message and go on to
// send the next. After any failure everything in flight is thrown away together with the producer, a new one
// is made, and the relay reads again from its saved position. What Kafka had taken already becomes a
// duplicate, which versions absorb.
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "bus/event_bus.h"
#include "bus/kafka/cluster.h"

namespace orderd::bus::kafka {

class KafkaPublisher final : public Publisher {
 public:
  explicit KafkaPublisher(Cluster& cluster);
  ~KafkaPublisher() override;
  std::size_t publish(const std::vector<Outgoing>& events) override;
  Progress poll(std::chrono::milliseconds timeout) override;

 private:
  using Steady = std::chrono::steady_clock;
  struct InFlight {
    // Rises by one, whatever is handed over: a relay that lost its database may hand the same positions over
    // again.
    std::uint64_t number = 0;
    std::int64_t outbox_position = 0;
    Steady::time_point since;  // it was handed over, or became its partition's oldest
    bool settled = false;      // acknowledged, or refused for itself
  };
  void make_producer();
  void drop_producer();
  bool accepting();
  enum class Taken { yes, refused, no };
  Taken send(const Outgoing& outgoing);
  void send_now();
  void wait(std::chrono::milliseconds timeout);
  void take_events(std::chrono::milliseconds timeout);
  void note_fatal();
  void take_reports(rd_kafka_event_t* event);
  std::optional<std::int64_t> settle(std::int32_t partition, std::uint64_t number);
  bool overdue() const;
  void restart();

  Cluster& cluster_;
  Client producer_;  // null until one could be made
  Queue reports_;
  std::map<std::int32_t, std::deque<InFlight>> in_flight_;  // per partition, in the order handed over
  std::size_t in_flight_count_ = 0;
  std::uint64_t sent_ = 0;                             // numbers given
  Progress progress_;                                  // what the next poll returns
  std::map<std::int32_t, std::int64_t> acknowledged_;  // likewise
  std::string failure_;                                // why the producer is no good any more, or ""
  std::chrono::milliseconds pause_{0};                 // before the next producer, doubled with each failure
  Steady::time_point resume_at_{};
  bool careful_ = false;          // this producer sends one event a request, see restart()
  std::size_t careful_left_ = 0;  // events still to be sent that way
};

}  // namespace orderd::bus::kafka
