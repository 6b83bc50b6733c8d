#include "bus/kafka/subscription.h"

#include <algorithm>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "bus/kafka/cloud_event.h"

namespace orderd::bus::kafka {
namespace {

constexpr std::chrono::milliseconds commit_interval{1000};
// The only waiting beside poll's own, and only while Kafka does not tell where a partition ends.
constexpr std::chrono::milliseconds end_timeout{5000}, late_end_timeout{500};
// How far clocks of hosts and brokers may differ, where an end has to be found by time.
constexpr std::int64_t clock_difference_ms = 60'000;
constexpr std::chrono::milliseconds wait_step{1000};  // between two reports of problems while nothing arrives

PartitionList one_partition(const std::string& topic, std::int32_t partition, std::int64_t offset) {
  PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = offset;
  return list;
}

RawRecord raw_record(const rd_kafka_message_t& message) {
  RawRecord raw;
  if (message.key) raw.key.emplace(static_cast<const char*>(message.key), message.key_len);
  if (message.payload) raw.value.emplace(static_cast<const char*>(message.payload), message.len);
  rd_kafka_headers_t* headers = nullptr;  // belong to the message
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return raw;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
    raw.headers.emplace_back(
        name, value ? std::string_view(static_cast<const char*>(value), size) : std::string_view());
  return raw;
}

}  // namespace

KafkaSubscription::KafkaSubscription(Cluster& cluster, const std::string& consumer)
    : cluster_(cluster),
      commits_(!consumer.empty()),
      consumer_(cluster.connect(Role::consumer, {{"group.id", "orderd-" + (commits_ ? consumer : "live")},
                                                 {"enable.auto.commit", "false"},
                                                 {"enable.auto.offset.store", "false"},
                                                 {"auto.offset.reset", "error"}})),
      queue_(rd_kafka_queue_get_consumer(consumer_.get())) {}

void KafkaSubscription::start(std::int32_t partition, Position after) {
  stop(partition);
  // Offset 0 rather than "the earliest": were the first records gone already, that must be noticed as well.
  if (cluster_.topic_ready())
    assign(partition, after + 1);
  else
    waiting_[partition] = after;
}

void KafkaSubscription::start_at_end(std::int32_t partition) {
  stop(partition);
  ends_[partition] = {now().time_since_epoch().count(), false};
}

void KafkaSubscription::stop(std::int32_t partition) {
  waiting_.erase(partition);
  ends_.erase(partition);
  saved_.erase(partition);
  unassign(partition);
}

void KafkaSubscription::assign(std::int32_t partition, std::int64_t offset) {
  const auto list = one_partition(cluster_.topic(), partition, offset);
  if (const Error error{rd_kafka_incremental_assign(consumer_.get(), list.get())})
    log_error("kafka", "a partition could not be assigned",
              {{"partition", std::to_string(partition)}, {"error", rd_kafka_error_string(error.get())}});
  assigned_[partition] = offset;
}

/// librdkafka raises the partition's version before this returns, and drops what it had fetched under an
/// older one: neither does a stopped partition deliver any more, nor a new start see records of the one
/// before.
void KafkaSubscription::unassign(std::int32_t partition) {
  if (assigned_.erase(partition) == 0) return;
  const auto list = one_partition(cluster_.topic(), partition, RD_KAFKA_OFFSET_INVALID);
  if (const Error error{rd_kafka_incremental_unassign(consumer_.get(), list.get())})
    log_error("kafka", "a partition could not be given back",
              {{"partition", std::to_string(partition)}, {"error", rd_kafka_error_string(error.get())}});
}

void KafkaSubscription::wake() {
  woken_ = true;
  cluster_.wake();
  rd_kafka_queue_yield(queue_.get());
}

std::vector<Record> KafkaSubscription::poll(std::size_t max, std::chrono::milliseconds timeout) {
  std::vector<Record> records;
  const auto until = Steady::now() + timeout;
  if (begin_waiting(timeout)) {
    // What was fetched already; else wait for one, and take what came with it: a batch forms by itself.
    while (fetch(max, std::chrono::milliseconds(0), records) == 0 && !woken_) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Steady::now());
      if (left.count() <= 0) break;
      if (fetch(1, std::min(left, wait_step), records) == 1) {
        fetch(max - 1, std::chrono::milliseconds(0), records);
        break;
      }
      cluster_.problems().report();
    }
  }
  woken_ = false;
  commit();
  if (!records.empty()) cluster_.problems().clear();
  cluster_.problems().report();
  return records;
}

/// Begins with what was started before Kafka could be asked for it; false when that must wait still.
bool KafkaSubscription::begin_waiting(std::chrono::milliseconds timeout) {
  if (waiting_.empty() && ends_.empty()) return true;
  if (!cluster_.topic_ready()) {
    for (auto& [partition, end] : ends_) end.late = true;
    if (!cluster_.wait_topic_ready(timeout, &woken_)) return false;
  }
  for (const auto& [partition, after] : std::exchange(waiting_, {})) assign(partition, after + 1);
  if (!ends_.empty()) find_ends();
  return true;
}

/// Adds up to `max` records. 0 does not mean that the queue is empty: an error may have come instead.
std::size_t KafkaSubscription::fetch(std::size_t max, std::chrono::milliseconds timeout,
                                     std::vector<Record>& records) {
  fetched_.resize(max);
  const ssize_t count = max == 0 ? 0
                                 : rd_kafka_consume_batch_queue(
                                       queue_.get(), static_cast<int>(timeout.count()), fetched_.data(), max);
  const std::size_t before = records.size();
  for (ssize_t i = 0; i < count; ++i) {
    const Message message(fetched_[static_cast<std::size_t>(i)]);
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
      take_error(*message);
    else if (const auto reads = assigned_.find(message->partition); reads != assigned_.end()) {
      reads->second = message->offset + 1;
      records.push_back(decode_record(message->partition, message->offset, raw_record(*message)));
    }
  }
  fetched_.clear();
  return records.size() - before;
}

void KafkaSubscription::take_error(const rd_kafka_message_t& message) {
  const std::string text = rd_kafka_message_errstr(&message);
  if (message.err != RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
    cluster_.problems().note(rd_kafka_err2name(message.err), text);
    return;
  }
  if (!assigned_.contains(message.partition)) return;
  log_warning(
      "kafka",
      "the position to read from is not in the topic any more (retention, or the topic was made anew);"
      " reading on from its earliest record, what is missing comes from order_events",
      {{"topic", cluster_.topic()},
       {"partition", std::to_string(message.partition)},
       {"offset", std::to_string(message.offset)}});
  unassign(message.partition);
  assign(message.partition, RD_KAFKA_OFFSET_BEGINNING);
}

/// Where the ends are is Kafka's to say. While it cannot be asked, records may be published behind the end
/// that was meant; then the end is found by the time of the call instead, with room for clocks that differ:
/// rather some records too many than one too few.
void KafkaSubscription::find_ends() {
  std::map<std::int32_t, std::int64_t> latest, since;
  for (const auto& [partition, end] : ends_) {
    latest[partition] = RD_KAFKA_OFFSET_END;
    if (end.late) since[partition] = end.since_ms - clock_difference_ms;
  }
  const auto timeout = since.empty() ? end_timeout : late_end_timeout;
  const auto ends = offsets_at(latest, timeout);  // first: what comes between the two questions is behind it
  const auto by_time = since.empty() ? since : offsets_at(since, timeout);
  for (const auto& [partition, end] : std::exchange(ends_, {})) {
    const auto found = ends.find(partition);
    const auto earlier = by_time.find(partition);
    if (found == ends.end() || (end.late && earlier == by_time.end()))
      ends_[partition] = {end.since_ms, true};
    else  // below 0: no record since then
      assign(partition, end.late && earlier->second >= 0 ? earlier->second : found->second);
  }
}

/// The offset of the first record at or after a time, per partition that Kafka answered for.
std::map<std::int32_t, std::int64_t> KafkaSubscription::offsets_at(
    const std::map<std::int32_t, std::int64_t>& times, std::chrono::milliseconds timeout) {
  PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(times.size())));
  for (const auto& [partition, time] : times)
    rd_kafka_topic_partition_list_add(list.get(), cluster_.topic().c_str(), partition)->offset = time;
  std::map<std::int32_t, std::int64_t> offsets;
  if (rd_kafka_offsets_for_times(consumer_.get(), list.get(), static_cast<int>(timeout.count())) !=
      RD_KAFKA_RESP_ERR_NO_ERROR)
    return offsets;
  for (int i = 0; i < list->cnt; ++i)
    if (list->elems[i].err == RD_KAFKA_RESP_ERR_NO_ERROR)
      offsets[list->elems[i].partition] = list->elems[i].offset;
  return offsets;
}

std::int64_t KafkaSubscription::lag() {
  std::int64_t lag = 0;
  for (const auto& [partition, next] : assigned_) {
    std::int64_t low = 0, high = 0;
    if (rd_kafka_get_watermark_offsets(consumer_.get(), cluster_.topic().c_str(), partition, &low, &high) ==
            RD_KAFKA_RESP_ERR_NO_ERROR &&
        high > next)
      lag += high - std::max(next, low);
  }
  return lag;
}

void KafkaSubscription::saved(std::int32_t partition, Position position) {
  if (commits_) saved_[partition] = position;
}

/// One request a second tells lag tools as much as one a batch.
void KafkaSubscription::commit() {
  if (saved_.empty() || Steady::now() < commit_at_) return;
  PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(saved_.size())));
  for (const auto& [partition, position] : saved_)
    rd_kafka_topic_partition_list_add(list.get(), cluster_.topic().c_str(), partition)->offset = position + 1;
  ORDERD_FAULT_POINT("kafka.before_offset_commit");
  rd_kafka_commit(consumer_.get(), list.get(), 1);
  ORDERD_FAULT_POINT("kafka.after_offset_commit");
  saved_.clear();
  commit_at_ = Steady::now() + commit_interval;
}

}  // namespace orderd::bus::kafka
