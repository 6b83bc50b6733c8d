#pragma once
// The buses that must pass: each with storage of its own, made when asked for and removed afterwards, so that
// tests run side by side. Servers and certificates come from `./x test`, by environment variables.
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "bus/event_bus.h"
#include "bus/kafka/kafka_bus.h"

namespace orderd::bus::test {

inline constexpr std::int32_t partitions = 4;

class BusUnderTest {
 public:
  virtual ~BusUnderTest() = default;
  virtual EventBus& bus() = 0;
  /// Returns once the bus has them for good.
  virtual void publish(std::int32_t partition, const std::vector<Event>& events) = 0;
};

struct Kind {
  std::string name;
  std::unique_ptr<BusUnderTest> (*make)();
};
std::ostream& operator<<(std::ostream& out, const Kind& kind);
/// Kafka in plain text, Kafka with mutual TLS, pglog.
const std::vector<Kind>& all_kinds();

/// Fails the test, saying how to run it, when the variable is not set.
std::string required_env(const char* name);
/// A name that no other test has.
std::string unique_name(const std::string& prefix);
/// The test broker's settings, with a topic of its own.
std::map<std::string, std::string> plain_kafka();
std::map<std::string, std::string> tls_kafka();

/// A relay in miniature: a list of events as outbox, read again from the saved position after a restart.
class MiniRelay {
 public:
  MiniRelay(Publisher& publisher, std::vector<Outgoing> outbox);
  /// One round: hands over, takes reports. False once everything is acknowledged or refused.
  bool step();
  void run();  // all rounds; fails the test when patience is over
  int restarts() const { return restarts_; }
  const std::vector<Publisher::Progress::Refused>& refused() const { return refused_; }
  /// What was handed over and is neither acknowledged nor refused; its maximum over the rounds.
  std::size_t in_flight_seen_max() const { return in_flight_max_; }

 private:
  bool settled() const;
  Publisher& publisher_;
  const std::vector<Outgoing> outbox_;
  std::size_t next_ = 0;
  std::map<std::int32_t, std::int64_t> saved_;  // per partition
  std::vector<Publisher::Progress::Refused> refused_;
  std::size_t in_flight_max_ = 0;
  int restarts_ = 0;
};

/// `events` in one partition, at outbox positions from 1.
std::vector<Outgoing> outgoing(std::int32_t partition, const std::vector<Event>& events);

}  // namespace orderd::bus::test
