#pragma once
// An event as a Kafka record: CloudEvents 1.0 in binary mode (Kafka protocol binding, section 3.2). The
// attributes are headers, the data is the record's value, the key is the order's id, so that every tool sees
// one order as one line. Pure functions: no librdkafka here.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bus/event_bus.h"

namespace orderd::bus::kafka {

using Header = std::pair<std::string_view, std::string>;

/// The attributes of the event: ce_id is `<order id>:<version>`, unique and the same however often it is
/// published. `ce_logpos` and `ce_logepoch` say where the log has it.
std::vector<Header> cloud_event_headers(const Outgoing& outgoing);

/// A record's parts as they came; nullopt where the record has none.
struct RawRecord {
  std::optional<std::string_view> key, value;
  std::vector<std::pair<std::string_view, std::string_view>> headers;
};

/// The record with its event, or with `poison` naming the first thing that is wrong and the value that is.
Record decode_record(std::int32_t partition, Position offset, const RawRecord& raw);

}  // namespace orderd::bus::kafka
