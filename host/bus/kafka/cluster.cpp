#include "bus/kafka/cluster.h"

#include <charconv>
#include <stdexcept>

#include "base/log.h"

namespace orderd::bus::kafka {
namespace {

constexpr const char* default_topic = "orders.events";
constexpr int replication_of_broker = -1;  // the broker's default.replication.factor
constexpr int replication_max = 100;
constexpr std::int64_t message_timeout_ms_default = 30'000;
constexpr std::int64_t message_timeout_ms_max = 86'400'000;
constexpr int request_timeout_ms = 1000;  // bounds how long stopping the bus can take
constexpr int create_timeout_ms = 5000;
constexpr std::chrono::milliseconds topic_retry{250};     // until the topic is there
constexpr std::chrono::milliseconds topic_recheck{5000};  // afterwards
constexpr std::size_t error_text_bytes = 512;

/// Takes one of our own keys out of what goes to librdkafka.
std::string take(Properties& properties, const std::string& key, const std::string& otherwise) {
  const auto found = properties.find(key);
  if (found == properties.end()) return otherwise;
  std::string value = std::move(found->second);
  properties.erase(found);
  return value;
}

struct Range {
  std::int64_t min, max;
};

std::int64_t take_number(Properties& properties, const std::string& key, std::int64_t otherwise,
                         Range range) {
  const std::string text = take(properties, key, std::to_string(otherwise));
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < range.min || value > range.max)
    throw std::invalid_argument("kafka." + key + ": \"" + text + "\" is not a whole number from " +
                                std::to_string(range.min) + " to " + std::to_string(range.max));
  return value;
}

// Runs in whichever thread polls the client.
void on_error(rd_kafka_t*, int code, const char* reason, void* problems) {
  static_cast<Problems*>(problems)->note(rd_kafka_err2name(static_cast<rd_kafka_resp_err_t>(code)), reason);
}

// Runs in librdkafka's threads. What matters of it arrives as an error as well; the rest helps when
// debugging.
void on_log(const rd_kafka_t*, int, const char* facility, const char* text) {
  log(LogLevel::debug, "kafka", "librdkafka says", {{"facility", facility}, {"text", text}});
}

// Runs in the thread that polls the reader.
void on_offset_commit(rd_kafka_t*, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t*, void*) {
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    log(LogLevel::debug, "kafka", "offsets for lag tools were not committed; the next commit replaces them",
        {{"error", rd_kafka_err2str(error)}});
}

int take_replication(Properties& properties) {
  return static_cast<int>(
      take_number(properties, "topic.replication", replication_of_broker, {-1, replication_max}));
}

std::chrono::milliseconds take_message_timeout(Properties& properties) {
  return std::chrono::milliseconds(
      take_number(properties, "message.timeout.ms", message_timeout_ms_default, {1, message_timeout_ms_max}));
}

void require_brokers(const Properties& properties) {
  if (!properties.contains("bootstrap.servers") && !properties.contains("metadata.broker.list"))
    throw std::invalid_argument(
        "kafka.bootstrap.servers is missing: set it to the brokers' addresses, such as "
        "broker1:9092,broker2:9092");
}

const Properties publishers_own{{"enable.idempotence", "true"}};

}  // namespace

void check(KafkaOptions options) {
  Properties& all = options.properties;
  static_cast<void>(take(all, "topic", default_topic));
  static_cast<void>(take_replication(all));
  static_cast<void>(take_message_timeout(all));
  require_brokers(all);
  for (const Role role : {Role::producer, Role::admin, Role::consumer}) {
    Conf conf = make_conf(role, all, role == Role::producer ? publishers_own : Properties{});
    rd_kafka_conf_set_log_cb(conf.get(), nullptr);
    // What librdkafka finds only when all is together. It ends before it has spoken with a broker.
    if (role != Role::consumer) static_cast<void>(make_client(role, std::move(conf)));
  }
}

Cluster::Cluster(KafkaOptions options)
    : partitions_(options.partitions),
      in_flight_max_(options.publisher_in_flight_max),
      properties_(std::move(options.properties)),
      topic_(take(properties_, "topic", default_topic)),
      replication_(take_replication(properties_)),
      // Kept by the publisher itself, see there.
      message_timeout_(take_message_timeout(properties_)) {
  require_brokers(properties_);
  // A producer's keys are not all looked at by the reader that admin_ is: make sure of them now, not when it
  // starts.
  static_cast<void>(connect(Role::producer, publishers_own));
  admin_ = connect(Role::admin, {});
  watcher_ = Worker("kafka", [this](const std::stop_token& stop) { watch(stop); });
}

Client Cluster::connect(Role role, const Properties& own) const {
  Conf conf = make_conf(role, properties_, own);
  rd_kafka_conf_set_opaque(conf.get(), &problems_);
  rd_kafka_conf_set_error_cb(conf.get(), on_error);
  rd_kafka_conf_set_log_cb(conf.get(), on_log);
  if (role == Role::consumer) rd_kafka_conf_set_offset_commit_cb(conf.get(), on_offset_commit);
  if (role == Role::producer) rd_kafka_conf_set_events(conf.get(), RD_KAFKA_EVENT_DR);
  Client client = make_client(role, std::move(conf));
  if (role == Role::consumer) rd_kafka_poll_set_consumer(client.get());
  return client;
}

bool Cluster::wait_topic_ready(std::chrono::milliseconds timeout, const std::atomic<bool>* woken) {
  if (topic_ready_) return true;
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return topic_ready_ || (woken && *woken); });
  return topic_ready_;
}

void Cluster::wake() {
  { const std::lock_guard lock(mutex_); }  // a waiting thread has either not looked yet or is asleep
  changed_.notify_all();
}

void Cluster::watch(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const bool ready = look_at_topic();
    rd_kafka_poll(admin_.get(), 0);  // runs on_error
    problems_.report();
    std::unique_lock lock(mutex_);
    if (ready && !topic_ready_) {
      topic_ready_ = true;
      changed_.notify_all();
    }
    changed_.wait_for(lock, stop, ready ? topic_recheck : topic_retry, [] { return false; });
  }
}

/// Whether the topic is there with enough partitions; asks for it to be made when it is missing.
bool Cluster::look_at_topic() {
  const Topic topic(rd_kafka_topic_new(admin_.get(), topic_.c_str(), nullptr));
  const rd_kafka_metadata_t* answer = nullptr;
  // A broker that does not answer is reported by on_error, with its reason.
  if (rd_kafka_metadata(admin_.get(), 0, topic.get(), &answer, request_timeout_ms) !=
      RD_KAFKA_RESP_ERR_NO_ERROR)
    return topic_ready_;
  const Metadata metadata(answer);
  if (metadata->topic_cnt != 1) return topic_ready_;
  const rd_kafka_metadata_topic_t& found = metadata->topics[0];
  if (found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
    create_topic();
    return false;
  }
  if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    problems_.note_text("topic " + topic_ + " cannot be used: " + rd_kafka_err2str(found.err) +
                        "; check the topic and this user's permissions on the broker");
    return topic_ready_;
  }
  if (found.partition_cnt < partitions_) {
    problems_.note_text(
        "topic " + topic_ + " has " + std::to_string(found.partition_cnt) + " partitions, fewer than the " +
        std::to_string(partitions_) +
        " shards; nothing is published or read. Add partitions (kafka-topics.sh --alter --topic " + topic_ +
        " --partitions " + std::to_string(partitions_) + ") or set kafka.topic to another name");
    return false;
  }
  problems_.fade();
  return true;
}

void Cluster::create_topic() {
  char why[error_text_bytes] = "";
  const NewTopic topic(rd_kafka_NewTopic_new(topic_.c_str(), partitions_, replication_, why, sizeof why));
  if (!topic) {
    problems_.note_text("topic " + topic_ + " cannot be created: " + why);
    return;
  }
  const Queue answers(rd_kafka_queue_new(admin_.get()));
  rd_kafka_NewTopic_t* topics[] = {topic.get()};
  rd_kafka_CreateTopics(admin_.get(), topics, 1, nullptr, answers.get());
  const KafkaEvent event(rd_kafka_queue_poll(answers.get(), create_timeout_ms));
  if (!event) return;  // asked again soon
  std::string error;
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    error = rd_kafka_event_error_string(event.get());
  } else if (const auto* result = rd_kafka_event_CreateTopics_result(event.get())) {
    std::size_t count = 0;
    const auto* const* created = rd_kafka_CreateTopics_result_topics(result, &count);
    const auto code = count == 1 ? rd_kafka_topic_result_error(created[0]) : RD_KAFKA_RESP_ERR_NO_ERROR;
    if (code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return;  // another host was faster
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      const char* text = rd_kafka_topic_result_error_string(created[0]);
      error = text ? text : rd_kafka_err2str(code);
    }
  }
  if (error.empty()) {
    log_info("kafka", "topic created", {{"topic", topic_}, {"partitions", std::to_string(partitions_)}});
    return;
  }
  problems_.note_text("topic " + topic_ + " is missing and cannot be created: " + error +
                      "; create it with " + std::to_string(partitions_) +
                      " partitions, or allow this user to create it, or correct kafka.topic.replication");
}

}  // namespace orderd::bus::kafka
