// The publisher and the readers when Kafka fails, on librdkafka's mock cluster, which fails when told to.
#include <librdkafka/rdkafka.h>
// after rdkafka.h, which it does not include
#include <librdkafka/rdkafka_mock.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "conformance/support/buses.h"
#include "conformance/support/events.h"

using namespace orderd;
using namespace orderd::bus;
using namespace orderd::bus::test;

namespace {

constexpr std::int16_t produce_request = 0;  // Kafka's number for it

class MockKafka {
 public:
  explicit MockKafka(int topic_partitions = partitions) {
    char why[512] = "";
    auto* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "0", why, sizeof why);
    owner_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    INFO(why);
    REQUIRE(owner_ != nullptr);
    cluster_ = rd_kafka_mock_cluster_new(owner_, 1);
    REQUIRE(rd_kafka_mock_topic_create(cluster_, topic_.c_str(), topic_partitions, 1) ==
            RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  ~MockKafka() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(owner_);
  }
  MockKafka(const MockKafka&) = delete;
  MockKafka& operator=(const MockKafka&) = delete;
  /// A real broker refuses a request behind one that failed, by its sequence number. The mock takes it: so
  /// what is handed over together must go out together.
  KafkaOptions options() const {
    return {{{"bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster_)}, {"topic", topic_}},
            partitions};
  }
  /// The next produce requests are answered with these, one each.
  void fail_produce(const std::vector<rd_kafka_resp_err_t>& errors) {
    rd_kafka_mock_push_request_errors_array(cluster_, produce_request, errors.size(), errors.data());
  }
  void set_down() { rd_kafka_mock_broker_set_down(cluster_, 1); }
  void set_up() { rd_kafka_mock_broker_set_up(cluster_, 1); }

 private:
  rd_kafka_t* owner_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
  const std::string topic_ = "orders.events";
};

/// Everything in partition 0, until each of `expected` was seen.
std::vector<Record> read_all(EventBus& bus, const std::vector<Event>& expected) {
  const auto reader = bus.subscribe("check");
  reader->start(0, before_first);
  std::set<std::pair<Uuid, std::int32_t>> missing;
  for (const auto& event : expected) missing.insert({event.order_id, event.version});
  std::size_t looked_at = 0;
  return read_until(*reader, [&](const std::vector<Record>& all) {
    for (; looked_at < all.size(); ++looked_at)
      missing.erase({all[looked_at].event.order_id, all[looked_at].event.version});
    return missing.empty();
  });
}

}  // namespace

TEST_CASE(
    "After the producer's fatal error everything is published again, and nothing is lost or overtaken") {
  MockKafka kafka;
  KafkaBus bus(kafka.options());
  const auto publisher = bus.make_publisher();
  const auto events = make_lines(20, 5);
  MiniRelay(*publisher, outgoing(0, {events.begin(), events.begin() + 20})).run();
  // The broker may have it but the answer is lost, then it finds the sequence broken: fatal for
  // librdkafka 2.0.2.
  kafka.fail_produce({RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER});
  MiniRelay relay(*publisher, outgoing(0, {events.begin() + 20, events.end()}));
  relay.run();
  CHECK(relay.restarts() >= 1);
  CHECK(relay.refused().empty());
  CHECK(out_of_order(read_all(bus, events)) == "");
}

TEST_CASE("A storm of broker errors delays events, and loses or reorders none") {
  MockKafka kafka;
  KafkaBus bus(kafka.options());
  const auto publisher = bus.make_publisher();
  const auto events = make_lines(50, 6);
  kafka.fail_produce({RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR__TRANSPORT,
                      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                      RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID,
                      RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH});
  MiniRelay(*publisher, outgoing(0, events)).run();
  CHECK(out_of_order(read_all(bus, events)) == "");
}

TEST_CASE("Events that nobody acknowledges in time are published again once the broker is back") {
  MockKafka kafka;
  auto options = kafka.options();
  options.properties["message.timeout.ms"] = "400";
  KafkaBus bus(options);
  const auto publisher = bus.make_publisher();
  const auto events = make_lines(10, 4);
  MiniRelay(*publisher, outgoing(0, {events.begin(), events.begin() + 10})).run();
  kafka.set_down();
  MiniRelay relay(*publisher, outgoing(0, {events.begin() + 10, events.end()}));
  REQUIRE(eventually([&] {
    relay.step();
    return relay.restarts() > 0;
  }));
  CHECK_THAT(bus.last_problem(), !Catch::Equals(""));
  kafka.set_up();
  relay.run();
  CHECK(out_of_order(read_all(bus, events)) == "");
}

TEST_CASE("What the publisher holds is bounded, and all of it is acknowledged in the end") {
  MockKafka kafka;
  auto options = kafka.options();
  options.publisher_in_flight_max = 64;
  KafkaBus bus(options);
  const auto publisher = bus.make_publisher();
  const auto events = make_lines(250, 4);
  kafka.set_down();
  MiniRelay relay(*publisher, outgoing(0, events));
  REQUIRE(eventually([&] {
    relay.step();
    return relay.in_flight_seen_max() > 0 || !bus.ready();
  }));
  kafka.set_up();
  relay.run();
  CHECK(relay.in_flight_seen_max() == 64);
  CHECK(out_of_order(read_all(bus, events)) == "");
}

TEST_CASE("A reader goes on by itself after the broker was away") {
  MockKafka kafka;
  KafkaBus bus(kafka.options());
  const auto publisher = bus.make_publisher();
  const auto before = make_events(10);
  const auto after = make_events(10);
  MiniRelay(*publisher, outgoing(0, before)).run();
  const auto reader = bus.subscribe("saga");
  reader->start(0, before_first);
  CHECK(ids(read_count(*reader, before.size())) == ids(before));
  kafka.set_down();
  CHECK(reader->poll(10, poll_step).empty());
  kafka.set_up();
  MiniRelay(*publisher, outgoing(0, after)).run();
  CHECK(ids(read_count(*reader, after.size())) == ids(after));
}

TEST_CASE("A topic with fewer partitions than shards is a clear problem, and nothing is published into it") {
  MockKafka kafka(2);
  KafkaBus bus(kafka.options());
  const auto publisher = bus.make_publisher();
  REQUIRE(eventually([&] { return !bus.last_problem().empty(); }));
  CHECK_THAT(bus.last_problem(), Catch::Contains("has 2 partitions, fewer than the 4 shards"));
  CHECK_FALSE(bus.ready());
  CHECK(publisher->publish(outgoing(0, make_events(1))) == 0);
}

TEST_CASE("A topic with more partitions than shards will do") {
  MockKafka kafka(9);
  KafkaBus bus(kafka.options());
  const auto publisher = bus.make_publisher();
  const auto events = make_events(3);
  MiniRelay(*publisher, outgoing(0, events)).run();
  CHECK(ids(read_all(bus, events)) == ids(events));
}

TEST_CASE(
    "A relay that begins again behind an older position while events are under way gets all of them "
    "acknowledged") {
  MockKafka kafka;
  KafkaBus bus(kafka.options());
  const auto publisher = bus.make_publisher();
  const auto events = make_lines(20, 3);
  REQUIRE(eventually([&] { return bus.ready(); }));
  const auto outbox = outgoing(0, events);
  REQUIRE(publisher->publish({outbox.begin(), outbox.begin() + 40}) == 40);
  MiniRelay relay(*publisher, outbox);
  relay.run();
  CHECK(relay.restarts() == 0);
  CHECK(publisher->publish({}) == 0);
  CHECK(publisher->poll(std::chrono::milliseconds(0)).restart == false);
}
