#pragma once
// One owner per kind of librdkafka object, so that nothing here is freed by hand.
#include <librdkafka/rdkafka.h>

#include <memory>

namespace orderd::bus::kafka {

template <auto Free>
struct FreedBy {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

/// Consumers never belong to a group here, so there is none to leave, and leaving could wait for a dead
/// broker.
inline void destroy_client(rd_kafka_t* client) {
  rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

using Client = std::unique_ptr<rd_kafka_t, FreedBy<destroy_client>>;
using Conf = std::unique_ptr<rd_kafka_conf_t, FreedBy<rd_kafka_conf_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, FreedBy<rd_kafka_queue_destroy>>;
using Topic = std::unique_ptr<rd_kafka_topic_t, FreedBy<rd_kafka_topic_destroy>>;
using Message = std::unique_ptr<rd_kafka_message_t, FreedBy<rd_kafka_message_destroy>>;
using PartitionList =
    std::unique_ptr<rd_kafka_topic_partition_list_t, FreedBy<rd_kafka_topic_partition_list_destroy>>;
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, FreedBy<rd_kafka_metadata_destroy>>;
using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, FreedBy<rd_kafka_NewTopic_destroy>>;
using KafkaEvent = std::unique_ptr<rd_kafka_event_t, FreedBy<rd_kafka_event_destroy>>;
using Error = std::unique_ptr<rd_kafka_error_t, FreedBy<rd_kafka_error_destroy>>;
using Headers = std::unique_ptr<rd_kafka_headers_t, FreedBy<rd_kafka_headers_destroy>>;

}  // namespace orderd::bus::kafka
