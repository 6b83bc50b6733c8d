#include "bus/kafka/kafka_bus.h"

#include "bus/kafka/cluster.h"
#include "bus/kafka/publisher.h"
#include "bus/kafka/subscription.h"

namespace orderd::bus {

KafkaBus::KafkaBus(KafkaOptions options) : cluster_(std::make_unique<kafka::Cluster>(std::move(options))) {}
KafkaBus::~KafkaBus() = default;
void KafkaBus::check(KafkaOptions options) { kafka::check(std::move(options)); }

std::unique_ptr<Subscription> KafkaBus::subscribe(const std::string& consumer) {
  return std::make_unique<kafka::KafkaSubscription>(*cluster_, consumer);
}

std::unique_ptr<Publisher> KafkaBus::make_publisher() {
  return std::make_unique<kafka::KafkaPublisher>(*cluster_);
}

std::string KafkaBus::last_problem() const { return cluster_->problems().last(); }
bool KafkaBus::ready() const { return cluster_->topic_ready(); }

}  // namespace orderd::bus
