#pragma once
// One event, or one record, that a consumer could not take. A pure value.
#include <cstdint>
#include <string>

#include "base/uuid.h"

namespace orderd::outbox {

struct DeadLetter {
  Uuid order_id;             // all zero: the record names none
  std::int32_t version = 0;  // 0: it is no event of ours
  std::int16_t shard = 0;
  std::int64_t pos = 0;
  std::string reason;
  // What a record that could not be read came with. The rest is in order_events.
  std::string headers_json{}, payload{};
};

}  // namespace orderd::outbox
