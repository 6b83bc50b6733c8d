#include "bus/kafka/cloud_event.h"

#include <charconv>

#include "model/json.h"

namespace orderd::bus::kafka {
namespace {

// A foreign record may carry anything; what is quoted of it in a log line or a dead letter stays short and
// printable.
constexpr std::size_t quoted_bytes_max = 80;
constexpr std::size_t headers_kept_max = 50, header_bytes_max = 1024, value_bytes_max = 64 * 1024;

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) out += (c >= ' ' && c < 127) ? c : '?';
  return out;
}

std::string quote(std::string_view text) {
  return "\"" + printable(text.substr(0, quoted_bytes_max)) + (text.size() > quoted_bytes_max ? "…\"" : "\"");
}

std::optional<std::string_view> find(const RawRecord& raw, std::string_view name) {
  for (const auto& [known, value] : raw.headers)
    if (known == name) return value;
  return std::nullopt;
}

template <typename Number>
std::optional<Number> parse_positive(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1) return std::nullopt;
  return number;
}

/// Fills `event` from the headers; what is wrong with them, or "".
std::string read_headers(const RawRecord& raw, Event& event) {
  const auto specversion = find(raw, "ce_specversion");
  if (!specversion) return "it has no header ce_specversion: not a CloudEvent in binary mode";
  if (*specversion != "1.0") return "header ce_specversion is " + quote(*specversion) + ", not \"1.0\"";
  const auto type_name = find(raw, "ce_type");
  if (!type_name) return "it has no header ce_type";
  const auto type = parse_event_type(*type_name);
  if (!type) return "header ce_type is " + quote(*type_name) + ", an event type that this host does not know";
  const auto sequence = find(raw, "ce_sequence");
  if (!sequence) return "it has no header ce_sequence";
  const auto version = parse_positive<std::int32_t>(*sequence);
  if (!version) return "header ce_sequence is " + quote(*sequence) + ", not a version from 1 on";
  const auto time_text = find(raw, "ce_time");
  if (!time_text) return "it has no header ce_time";
  const auto time = parse_rfc3339(*time_text);
  if (!time) return "header ce_time is " + quote(*time_text) + ", not an RFC 3339 time";
  event.type = *type;
  event.version = *version;
  event.at = *time;
  if (const auto trace = find(raw, "traceparent")) event.traceparent = *trace;
  return "";
}

}  // namespace

std::vector<Header> cloud_event_headers(const Outgoing& outgoing) {
  const Event& event = outgoing.event;
  const std::string order_id = event.order_id.to_string();
  const std::string version = std::to_string(event.version);
  std::vector<Header> headers{{"ce_specversion", "1.0"},
                              {"ce_id", order_id + ":" + version},
                              {"ce_type", std::string(name(event.type))},
                              {"ce_source", "/orderd"},
                              {"ce_subject", order_id},
                              {"ce_time", to_rfc3339(event.at)},
                              {"ce_sequence", version},
                              {"ce_logpos", std::to_string(outgoing.outbox_position)},
                              {"ce_logepoch", outgoing.log_epoch.to_string()},
                              {"content-type", "application/json"}};
  if (!event.traceparent.empty()) headers.emplace_back("traceparent", event.traceparent);
  return headers;
}

namespace {

/// For a dead letter: whoever looks at it sees what came.
void keep_raw(const RawRecord& raw, Record& record) {
  json::Object object(record.raw_headers_json);
  if (raw.key) object.add("key", printable(raw.key->substr(0, header_bytes_max)));
  std::size_t kept = 0;
  for (const auto& [name, value] : raw.headers)
    if (++kept <= headers_kept_max)
      object.add("header " + printable(name.substr(0, header_bytes_max)),
                 printable(value.substr(0, header_bytes_max)));
  object.end();
  if (raw.value) record.raw_value = raw.value->substr(0, value_bytes_max);
}

void decode(const RawRecord& raw, Record& record) {
  if (!raw.key) {
    record.poison = "it has no key; the key must be the order's id";
    return;
  }
  const auto order_id = Uuid::parse(*raw.key);
  if (!order_id) {
    record.poison = "its key is " + quote(*raw.key) + ", not an order's id";
    return;
  }
  record.event.order_id = *order_id;
  record.poison = read_headers(raw, record.event);
  if (record.poison.empty() && !raw.value) record.poison = "it has no value";
  if (!record.poison.empty()) return;
  record.event.payload = *raw.value;
  // Older relays do not say where the log has it.
  const auto pos = find(raw, "ce_logpos"), epoch = find(raw, "ce_logepoch");
  if (pos) record.log_pos = parse_positive<std::int64_t>(*pos).value_or(0);
  if (epoch) record.log_epoch = Uuid::parse(*epoch);
}

}  // namespace

Record decode_record(std::int32_t partition, Position offset, const RawRecord& raw) {
  Record record;
  record.partition = partition;
  record.position = offset;
  decode(raw, record);
  if (!record.poison.empty()) keep_raw(raw, record);
  return record;
}

}  // namespace orderd::bus::kafka
