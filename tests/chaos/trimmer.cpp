// chaos_trimmer: takes records away that a topic still has, as retention, a recreated topic or a broker's
// unclean election would.
//
//   chaos_trimmer ADDRESS TOPIC PARTITION     all records of one partition up to its end
//
// Ends with 0 when the broker has done it, with 1 and a line on stderr when not.
#include <librdkafka/rdkafka.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

constexpr int limit_ms = 20'000;

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* one) const {
    Free(one);
  }
};

void trim(const std::string& address, const std::string& topic, std::int32_t partition) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char error[512];
  rd_kafka_conf_set(conf, "bootstrap.servers", address.c_str(), error, sizeof error);
  const std::unique_ptr<rd_kafka_t, Deleter<rd_kafka_destroy>> client(
      rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error));
  if (!client) throw std::runtime_error(error);
  const std::unique_ptr<rd_kafka_topic_partition_list_t, Deleter<rd_kafka_topic_partition_list_destroy>> list(
      rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = RD_KAFKA_OFFSET_END;
  const std::unique_ptr<rd_kafka_queue_t, Deleter<rd_kafka_queue_destroy>> queue(
      rd_kafka_queue_new(client.get()));
  const std::unique_ptr<rd_kafka_AdminOptions_t, Deleter<rd_kafka_AdminOptions_destroy>> options(
      rd_kafka_AdminOptions_new(client.get(), RD_KAFKA_ADMIN_OP_DELETERECORDS));
  rd_kafka_AdminOptions_set_request_timeout(options.get(), limit_ms / 2, error, sizeof error);
  rd_kafka_DeleteRecords_t* request = rd_kafka_DeleteRecords_new(list.get());
  rd_kafka_DeleteRecords(client.get(), &request, 1, options.get(), queue.get());
  const std::unique_ptr<rd_kafka_event_t, Deleter<rd_kafka_event_destroy>> event(
      rd_kafka_queue_poll(queue.get(), limit_ms));
  rd_kafka_DeleteRecords_destroy(request);
  if (!event) throw std::runtime_error("no answer of the broker");
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw std::runtime_error(rd_kafka_event_error_string(event.get()));
  const auto* result =
      rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event.get()));
  if (result->cnt != 1 || result->elems[0].err != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw std::runtime_error(result->cnt == 1 ? rd_kafka_err2str(result->elems[0].err) : "no such partition");
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) {
    std::cerr << "chaos_trimmer ADDRESS TOPIC PARTITION\n";
    return 2;
  }
  try {
    trim(words[1], words[2], std::atoi(words[3]));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "chaos_trimmer: " << error.what() << "\n";
    return 1;
  }
}
