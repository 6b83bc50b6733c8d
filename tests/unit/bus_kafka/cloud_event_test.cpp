#include "bus/kafka/cloud_event.h"

#include <catch2/catch.hpp>

using namespace orderd;
using namespace orderd::bus;
using namespace orderd::bus::kafka;

namespace {

Event example() {
  Event event;
  event.order_id = *Uuid::parse("01920000-0000-7000-8000-000000000001");
  event.version = 3;
  event.type = EventType::inventory_reserved;
  event.at = *parse_rfc3339("2026-01-31T12:00:00.250Z");
  event.payload = R"({"status":"INVENTORY_RESERVED"})";
  event.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  return event;
}

const Uuid epoch = *Uuid::parse("01920000-0000-7000-8000-0000000000ee");
Outgoing outgoing(const Event& event) { return {5, 42, event, epoch}; }

/// A record as cloud_event_headers made it; keeps the strings that `raw` points into.
struct Wire {
  explicit Wire(const Event& event)
      : key(event.order_id.to_string()),
        payload(event.payload),
        headers(cloud_event_headers(outgoing(event))) {}
  RawRecord raw() const {
    RawRecord out{key, payload, {}};
    for (const auto& [name, value] : headers) out.headers.emplace_back(name, value);
    return out;
  }
  void set(std::string_view name, const std::string& value) {
    for (auto& header : headers)
      if (header.first == name) header.second = value;
  }
  void remove(std::string_view name) {
    std::erase_if(headers, [&](const Header& header) { return header.first == name; });
  }
  std::string key, payload;
  std::vector<Header> headers;
};

}  // namespace

TEST_CASE("An event's headers are those of a CloudEvent in binary mode") {
  const std::vector<Header> expected{
      {"ce_specversion", "1.0"},
      {"ce_id", "01920000-0000-7000-8000-000000000001:3"},
      {"ce_type", "INVENTORY_RESERVED"},
      {"ce_source", "/orderd"},
      {"ce_subject", "01920000-0000-7000-8000-000000000001"},
      {"ce_time", "2026-01-31T12:00:00.250Z"},
      {"ce_sequence", "3"},
      {"ce_logpos", "42"},
      {"ce_logepoch", "01920000-0000-7000-8000-0000000000ee"},
      {"content-type", "application/json"},
      {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}};
  CHECK(cloud_event_headers(outgoing(example())) == expected);
}

TEST_CASE("An event without a trace has no traceparent header") {
  Event event = example();
  event.traceparent.clear();
  for (const auto& header : cloud_event_headers(outgoing(event))) CHECK(header.first != "traceparent");
}

TEST_CASE("An event comes back from its record as it was") {
  const Wire wire(example());
  const Record record = decode_record(5, 77, wire.raw());
  CHECK(record.poison == "");
  CHECK(record.partition == 5);
  CHECK(record.position == 77);
  CHECK(record.log_pos == 42);
  CHECK(record.log_epoch == epoch);
  CHECK(record.event.order_id == example().order_id);
  CHECK(record.event.version == 3);
  CHECK(record.event.type == EventType::inventory_reserved);
  CHECK(record.event.at == example().at);
  CHECK(record.event.payload == example().payload);
  CHECK(record.event.traceparent == example().traceparent);
}

TEST_CASE("Headers of others, in any order, do not matter") {
  Wire wire(example());
  std::reverse(wire.headers.begin(), wire.headers.end());
  wire.headers.emplace_back("x-other", "1");
  CHECK(decode_record(0, 0, wire.raw()).poison == "");
}

TEST_CASE("Poison says which part of the record is wrong and what it is") {
  Wire wire(example());
  RawRecord raw;
  std::string expected;
  SECTION("no key") {
    raw = wire.raw();
    raw.key.reset();
    expected = "no key";
  }
  SECTION("a key that is no order id") {
    wire.key = "customer-7\n";
    raw = wire.raw();
    expected = R"(key is "customer-7?")";
  }
  SECTION("no headers at all") {
    raw = wire.raw();
    raw.headers.clear();
    expected = "ce_specversion";
  }
  SECTION("another CloudEvents version") {
    wire.set("ce_specversion", "2.0");
    raw = wire.raw();
    expected = R"(ce_specversion is "2.0")";
  }
  SECTION("an unknown event type") {
    wire.set("ce_type", "ORDER_TELEPORTED");
    raw = wire.raw();
    expected = R"(ce_type is "ORDER_TELEPORTED")";
  }
  SECTION("no version") {
    wire.remove("ce_sequence");
    raw = wire.raw();
    expected = "no header ce_sequence";
  }
  SECTION("a version that is none") {
    const char* text = GENERATE("0", "-1", "1.5", "x", "", "3 ", "99999999999");
    wire.set("ce_sequence", text);
    raw = wire.raw();
    expected = std::string("ce_sequence is \"") + text + "\"";
  }
  SECTION("no time") {
    wire.remove("ce_time");
    raw = wire.raw();
    expected = "no header ce_time";
  }
  SECTION("a time that is none") {
    wire.set("ce_time", "yesterday");
    raw = wire.raw();
    expected = R"(ce_time is "yesterday")";
  }
  SECTION("no value") {
    raw = wire.raw();
    raw.value.reset();
    expected = "no value";
  }
  const Record record = decode_record(1, 9, raw);
  CHECK_THAT(record.poison, Catch::Contains(expected));
  CHECK(record.partition == 1);
  CHECK(record.position == 9);
}

TEST_CASE("Poison still names its order when the key does") {
  Wire wire(example());
  wire.headers.clear();
  CHECK(decode_record(0, 0, wire.raw()).event.order_id == example().order_id);
}

TEST_CASE("What poison quotes of a foreign record is short and printable") {
  Wire wire(example());
  wire.set("ce_type", std::string(5000, '\x01'));
  const std::string poison = decode_record(0, 0, wire.raw()).poison;
  CHECK(poison.size() < 300);
  CHECK(poison.find('\x01') == std::string::npos);
}
