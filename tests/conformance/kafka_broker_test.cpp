// What needs a real broker: the topic, foreign records, retention, refused records, offsets for lag tools,
// TLS.
#include <librdkafka/rdkafka.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>

#include "bus/kafka/settings.h"
#include "bus/log_backed/log_backed_bus.h"
#include "conformance/support/buses.h"
#include "conformance/support/events.h"
#include "functional/support/test_database.h"
#include "outbox/log.h"
#include "outbox/marks.h"

using namespace orderd;
using namespace orderd::bus;
using namespace orderd::bus::test;
using Catch::Contains;

namespace {

constexpr int request_timeout_ms = 30'000;
using Properties = std::map<std::string, std::string>;

/// A plain client of the broker under test, to do what the bus has no call for.
kafka::Client plain_client(kafka::Role role, const Properties& bus_properties, const Properties& own = {}) {
  return kafka::make_client(
      role, kafka::make_conf(role, {{"bootstrap.servers", bus_properties.at("bootstrap.servers")}}, own));
}

void create_topic(const Properties& properties, const std::string& config_key,
                  const std::string& config_value) {
  const auto admin = plain_client(kafka::Role::admin, properties);
  char why[512] = "";
  const kafka::NewTopic topic(
      rd_kafka_NewTopic_new(properties.at("topic").c_str(), partitions, 1, why, sizeof why));
  REQUIRE(topic);
  rd_kafka_NewTopic_set_config(topic.get(), config_key.c_str(), config_value.c_str());
  const kafka::Queue queue(rd_kafka_queue_new(admin.get()));
  rd_kafka_NewTopic_t* topics[] = {topic.get()};
  rd_kafka_CreateTopics(admin.get(), topics, 1, nullptr, queue.get());
  const kafka::KafkaEvent event(rd_kafka_queue_poll(queue.get(), request_timeout_ms));
  REQUIRE(event);
  REQUIRE(rd_kafka_event_error(event.get()) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

/// What retention does, at once: records before `offset` are gone.
void delete_records(const Properties& properties, std::int32_t partition, std::int64_t offset) {
  const auto admin = plain_client(kafka::Role::admin, properties);
  const kafka::PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), properties.at("topic").c_str(), partition)->offset = offset;
  auto* request = rd_kafka_DeleteRecords_new(list.get());
  const kafka::Queue queue(rd_kafka_queue_new(admin.get()));
  rd_kafka_DeleteRecords(admin.get(), &request, 1, nullptr, queue.get());
  const kafka::KafkaEvent event(rd_kafka_queue_poll(queue.get(), request_timeout_ms));
  rd_kafka_DeleteRecords_destroy(request);
  REQUIRE(event);
  REQUIRE(rd_kafka_event_error(event.get()) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

void produce_raw(const Properties& properties, std::int32_t partition, const std::string& key,
                 const std::string& value) {
  const auto producer = plain_client(kafka::Role::producer, properties);
  const auto error = rd_kafka_producev(producer.get(), RD_KAFKA_V_TOPIC(properties.at("topic").c_str()),
                                       RD_KAFKA_V_PARTITION(partition),
                                       RD_KAFKA_V_KEY(key.empty() ? nullptr : key.data(), key.size()),
                                       RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                                       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
  REQUIRE(error == RD_KAFKA_RESP_ERR_NO_ERROR);
  REQUIRE(rd_kafka_flush(producer.get(), request_timeout_ms) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

std::int64_t committed_offset(const Properties& properties, const std::string& group,
                              std::int32_t partition) {
  const auto consumer = plain_client(kafka::Role::consumer, properties, {{"group.id", group}});
  const kafka::PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), properties.at("topic").c_str(), partition);
  if (rd_kafka_committed(consumer.get(), list.get(), request_timeout_ms) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return -1;
  return list->elems[0].offset;
}

/// A port of 127.0.0.1 that is taken, and on which nobody listens.
class DeafPort {
 public:
  DeafPort() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
  }
  ~DeafPort() { close(socket_); }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  int socket_, port_ = 0;
};

/// The problem that a bus with these settings reports, once it does.
std::string problem_with(Properties properties) {
  KafkaBus bus(KafkaOptions{std::move(properties), partitions});
  CHECK(eventually([&] { return !bus.last_problem().empty(); }));
  CHECK_FALSE(bus.ready());
  return bus.last_problem();
}

}  // namespace

TEST_CASE("A missing topic is made with one partition for every shard") {
  const auto properties = plain_kafka();
  const KafkaBus bus(KafkaOptions{properties, 6});
  REQUIRE(eventually([&] { return bus.ready(); }));
  const auto admin = plain_client(kafka::Role::admin, properties);
  const kafka::Topic topic(rd_kafka_topic_new(admin.get(), properties.at("topic").c_str(), nullptr));
  const rd_kafka_metadata_t* answer = nullptr;
  REQUIRE(rd_kafka_metadata(admin.get(), 0, topic.get(), &answer, request_timeout_ms) ==
          RD_KAFKA_RESP_ERR_NO_ERROR);
  const kafka::Metadata metadata(answer);
  CHECK(metadata->topics[0].partition_cnt == 6);
}

TEST_CASE("A foreign record is delivered as poison with its reason, and reading goes on behind it") {
  const auto properties = plain_kafka();
  KafkaBus bus(KafkaOptions{properties, partitions});
  const auto publisher = bus.make_publisher();
  const auto events = make_events(2);
  MiniRelay(*publisher, outgoing(0, {events[0]})).run();
  produce_raw(properties, 0, "not an order", "garbage \x01\x02");
  produce_raw(properties, 0, "", "");
  produce_raw(properties, 0, events[0].order_id.to_string(), "no headers");
  MiniRelay(*publisher, outgoing(0, {events[1]})).run();
  const auto reader = bus.subscribe("saga");
  reader->start(0, before_first);
  const auto records = read_count(*reader, 5);
  REQUIRE(records.size() == 5);
  CHECK(records[0].poison == "");
  CHECK_THAT(records[1].poison, Contains("not an order"));
  CHECK_THAT(records[2].poison, Contains("no key"));
  CHECK_THAT(records[3].poison, Contains("ce_specversion"));
  CHECK(records[3].event.order_id == events[0].order_id);
  CHECK(records[4].poison == "");
  CHECK(records[4].event.order_id == events[1].order_id);
}

TEST_CASE("A position that retention took away falls to the earliest record that is left") {
  const auto properties = plain_kafka();
  KafkaBus bus(KafkaOptions{properties, partitions});
  const auto publisher = bus.make_publisher();
  const auto events = make_events(30);
  MiniRelay(*publisher, outgoing(0, events)).run();
  delete_records(properties, 0, 20);
  const Position after = GENERATE(before_first, Position{4}, Position{1'000'000});
  const auto reader = bus.subscribe("saga");
  reader->start(0, after);
  const auto left = ids(std::vector<Event>(events.begin() + 20, events.end()));
  CHECK(ids(read_count(*reader, left.size())) == left);
}

TEST_CASE("What the broker deleted comes from the log, and the log's end is the topic's") {
  const auto properties = plain_kafka();
  KafkaBus kafka(KafkaOptions{properties, partitions});
  orderd::test::TestDatabase database;
  LogBackedBus bus(kafka, {database.options(), "relay", std::chrono::milliseconds(50)});
  const auto publisher = kafka.make_publisher();
  const Uuid epoch = outbox::epoch(database.session()).id;
  std::int64_t last = 0;
  const auto publish = [&](std::size_t count) {
    const auto events = make_events(count);
    store::UnitOfWork work(database.session());
    outbox::append(work, {{0, events}});
    work.commit();
    std::vector<Outgoing> outgoing;
    for (const Event& event : events) outgoing.push_back({0, ++last, event, epoch});
    MiniRelay(*publisher, outgoing).run();
    database.script("insert into positions (consumer, shard, pos, epoch) values ('relay', 0, " +
                    std::to_string(last) +
                    ", 1) on conflict (consumer, shard) do update set pos = excluded.pos");
    return ids(events);
  };
  const auto wanted = publish(30);
  delete_records(properties, 0, GENERATE(12, 30));  // a part, or everything there was
  auto reader = bus.subscribe("saga");
  reader->start(0, before_first);
  const auto records = read_count(*reader, 30);
  CHECK(ids(records) == wanted);
  // As a consumer does: with its place in the log marked, a broker that is slow afterwards changes nothing.
  reader->saved(0, records.back().position);
  const auto is_marked = [&] {
    return database.session()
               .run(store::Statement{"marked", "select count(*) from log_marks"})
               .integer(0, 0) == 1;
  };
  while (!is_marked()) CHECK(reader->poll(1, std::chrono::milliseconds(50)).empty());
  const auto while_away = publish(5);
  reader = bus.subscribe("saga");
  reader->start(0, records.back().position);
  CHECK(ids(read_count(*reader, 5)) == while_away);
  const auto next = publish(2);
  CHECK(ids(read_count(*reader, 2)) == next);
}

TEST_CASE("Saved positions show in Kafka as committed offsets, for lag tools") {
  const auto properties = plain_kafka();
  KafkaBus bus(KafkaOptions{properties, partitions});
  const auto publisher = bus.make_publisher();
  MiniRelay(*publisher, outgoing(1, make_events(7))).run();
  const std::string consumer = unique_name("saga-");
  const auto reader = bus.subscribe(consumer);
  reader->start(1, before_first);
  reader->saved(1, read_count(*reader, 7).back().position);
  CHECK(eventually([&] {
    reader->poll(10, std::chrono::milliseconds(0));
    return committed_offset(properties, "orderd-" + consumer, 1) == 7;
  }));
}

TEST_CASE("A record that is too large for the topic is refused alone, and all its neighbours are published") {
  const auto properties = plain_kafka();
  create_topic(properties, "max.message.bytes", "4000");
  KafkaBus bus(KafkaOptions{properties, partitions});
  const auto publisher = bus.make_publisher();
  auto events = make_events(60);
  std::mt19937 random;
  events[30].payload.clear();
  while (events[30].payload.size() < 10'000)  // stays as large when it is compressed
    events[30].payload += static_cast<char>('0' + random() % 64);
  MiniRelay relay(*publisher, outgoing(0, events));
  relay.run();
  REQUIRE(relay.refused().size() == 1);
  CHECK(relay.refused()[0].partition == 0);
  CHECK(relay.refused()[0].outbox_position == 31);
  CHECK_THAT(relay.refused()[0].reason, Contains("large"));
  events.erase(events.begin() + 30);
  const auto reader = bus.subscribe("check");
  reader->start(0, before_first);
  CHECK(ids(read_count(*reader, events.size())).back() == events.back().order_id);
}

TEST_CASE(
    "A record that is larger than the client's limit is refused when handed over, and the rest waits for the "
    "relay") {
  KafkaBus bus(KafkaOptions{plain_kafka(), partitions});
  const auto publisher = bus.make_publisher();
  REQUIRE(eventually([&] { return bus.ready(); }));
  auto events = make_events(3);
  events[1].payload = std::string(3'000'000, 'x');
  CHECK(publisher->publish(outgoing(0, events)) == 2);
  MiniRelay relay(*publisher, outgoing(0, events));
  relay.run();
  REQUIRE(!relay.refused().empty());
  CHECK(relay.refused()[0].outbox_position == 2);
}

TEST_CASE("A broker whose certificate another CA signed is named, with the key to set") {
  auto properties = tls_kafka();
  properties["ssl.ca.location"] = required_env("ORDERD_TEST_CERTS") + "/other-ca.crt";
  CHECK_THAT(problem_with(properties), Contains(properties["bootstrap.servers"]) && Contains("not trusted") &&
                                           Contains("kafka.ssl.ca.location"));
}

TEST_CASE("A missing client certificate is said so, with the keys to set") {
  auto properties = tls_kafka();
  properties.erase("ssl.certificate.location");
  properties.erase("ssl.key.location");
  CHECK_THAT(problem_with(properties), Contains(properties["bootstrap.servers"]) && Contains("got none") &&
                                           Contains("kafka.ssl.certificate.location") &&
                                           Contains("kafka.ssl.key.location"));
}

TEST_CASE("A client certificate that the broker refuses is said so") {
  auto properties = tls_kafka();
  const std::string certs = required_env("ORDERD_TEST_CERTS");
  properties["ssl.certificate.location"] = certs + "/other-client.crt";
  properties["ssl.key.location"] = certs + "/other-client.key";
  CHECK_THAT(problem_with(properties),
             Contains(properties["bootstrap.servers"]) && Contains("refused this client's certificate"));
}

TEST_CASE("A plain client at a TLS port is told to use TLS, and a TLS client at a plain port the reverse") {
  auto properties = plain_kafka();
  properties["bootstrap.servers"] = required_env("ORDERD_TEST_KAFKA_TLS");
  CHECK_THAT(problem_with(properties), Contains("kafka.security.protocol = ssl"));
  properties = tls_kafka();
  properties["bootstrap.servers"] = required_env("ORDERD_TEST_KAFKA");
  CHECK_THAT(problem_with(properties), Contains("plain"));
}

TEST_CASE("A broker that cannot be reached and a name that cannot be resolved are said so") {
  const DeafPort port;
  CHECK_THAT(problem_with({{"bootstrap.servers", port.address()}}),
             Contains(port.address()) && Contains("nothing listens there"));
  CHECK_THAT(problem_with({{"bootstrap.servers", "no-such-broker.invalid:9092"}}),
             Contains("no-such-broker.invalid:9092") && Contains("cannot be resolved"));
}

TEST_CASE("While Kafka cannot be reached nothing blocks and nothing is taken") {
  const DeafPort port;
  KafkaBus bus(KafkaOptions{{{"bootstrap.servers", port.address()}}, partitions});
  const auto publisher = bus.make_publisher();
  const auto reader = bus.subscribe("saga");
  reader->start(0, before_first);
  reader->start_at_end(1);
  CHECK(reader->poll(10, std::chrono::milliseconds(10)).empty());
  CHECK(publisher->publish(outgoing(0, make_events(1))) == 0);
  CHECK(publisher->poll(std::chrono::milliseconds(10)).acknowledged.empty());
  reader->stop(0);
}

TEST_CASE("Settings that cannot be right refuse to start, with the key or file named") {
  auto properties = plain_kafka();
  properties["linger"] = "1";
  CHECK_THROWS_WITH(KafkaBus(KafkaOptions{properties, partitions}), Contains("kafka.linger:"));
  CHECK_THROWS_WITH(KafkaBus(KafkaOptions{{}, partitions}), Contains("kafka.bootstrap.servers is missing"));
  properties = tls_kafka();
  properties["ssl.key.location"] = "/nowhere/client.key";
  CHECK_THROWS_WITH(KafkaBus(KafkaOptions{properties, partitions}), Contains("/nowhere/client.key"));
  properties = plain_kafka();
  properties["topic.replication"] = "many";
  CHECK_THROWS_WITH(KafkaBus(KafkaOptions{properties, partitions}), Contains("kafka.topic.replication"));
}
