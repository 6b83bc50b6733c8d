#include "plugin_host/isolation/wire.h"

#include <cstring>

namespace orderd::plugins::isolation {
namespace {

std::int64_t to_ms(Time time) { return time.time_since_epoch().count(); }
Time from_ms(std::int64_t ms) { return Time(Millis(ms)); }

void write_totals(Out& out, const PaymentTotals& totals) {
  out.i64(totals.authorized).i64(totals.captured).i64(totals.refunded).i64(totals.voided);
}
PaymentTotals read_totals(In& in) {
  PaymentTotals totals;
  totals.authorized = in.i64();
  totals.captured = in.i64();
  totals.refunded = in.i64();
  totals.voided = in.i64();
  return totals;
}
void write_blob(Out& out, const StateBlob& blob) { out.u32(blob.version).text(blob.bytes); }
StateBlob read_blob(In& in) {
  StateBlob blob;
  blob.version = in.u32();
  blob.bytes = in.text();
  return blob;
}
std::optional<Time> read_time(In& in) {
  const std::int64_t ms = in.i64();
  return ms == 0 ? std::nullopt : std::optional(from_ms(ms));
}
void write_time(Out& out, const std::optional<Time>& time) { out.i64(time ? to_ms(*time) : 0); }

}  // namespace

Out& Out::raw(const void* from, std::size_t size) {
  bytes_.append(static_cast<const char*>(from), size);
  return *this;
}
Out& Out::text(std::string_view value) {
  u32(static_cast<std::uint32_t>(value.size()));
  bytes_.append(value);
  return *this;
}
Out& Out::texts(const std::vector<std::string>& values) {
  u32(static_cast<std::uint32_t>(values.size()));
  for (const std::string& one : values) text(one);
  return *this;
}
std::string Out::frame(Frame kind) const {
  const auto size = static_cast<std::uint32_t>(bytes_.size() + 1);
  std::string out(sizeof size, '\0');
  std::memcpy(out.data(), &size, sizeof size);
  out.push_back(static_cast<char>(kind));
  return out + bytes_;
}

bool In::raw(void* to, std::size_t size) {
  if (ok_ && rest_.size() >= size) {
    std::memcpy(to, rest_.data(), size);
    rest_.remove_prefix(size);
    return true;
  }
  ok_ = false;
  rest_ = {};
  return false;
}
std::uint8_t In::u8() {
  std::uint8_t value = 0;
  raw(&value, sizeof value);
  return value;
}
std::uint32_t In::u32() {
  std::uint32_t value = 0;
  raw(&value, sizeof value);
  return value;
}
std::int64_t In::i64() {
  std::int64_t value = 0;
  raw(&value, sizeof value);
  return value;
}
std::string In::text() {
  const std::uint32_t size = u32();
  if (!ok_ || rest_.size() < size) {
    ok_ = false;
    rest_ = {};
    return {};
  }
  std::string value(rest_.substr(0, size));
  rest_.remove_prefix(size);
  return value;
}
std::size_t In::count(std::size_t bytes_each) {
  const std::uint32_t count = u32();
  if (count <= rest_.size() / bytes_each) return count;
  ok_ = false;
  rest_ = {};
  return 0;
}
std::vector<std::string> In::texts() {
  std::vector<std::string> values;
  for (std::size_t left = count(sizeof(std::uint32_t)); left > 0; --left) values.push_back(text());
  return values;
}

void write(Out& out, const Begin& begin) {
  out.text(begin.instance).text(begin.library).text(begin.digest).text(begin.host_version);
  out.text(begin.log_level).text(begin.log_format).texts(begin.extensions);
  out.u8(begin.trust_folders).i64(begin.trusted_developer).u32(begin.threads);
  for (const auto* texts : {&begin.settings, &begin.secrets}) {
    out.u32(static_cast<std::uint32_t>(texts->size()));
    for (const auto& [key, value] : *texts) out.text(key).text(value);
  }
}
Begin read_begin(In& in) {
  Begin begin;
  begin.instance = in.text();
  begin.library = in.text();
  begin.digest = in.text();
  begin.host_version = in.text();
  begin.log_level = in.text();
  begin.log_format = in.text();
  begin.extensions = in.texts();
  begin.trust_folders = in.u8() != 0;
  begin.trusted_developer = in.i64();
  begin.threads = in.u32();
  for (auto* texts : {&begin.settings, &begin.secrets})
    for (std::size_t left = in.count(8); left > 0; --left) {
      std::string key = in.text();
      (*texts)[std::move(key)] = in.text();
    }
  return begin;
}

void write(Out& out, const Hello& hello) {
  out.text(hello.problem).text(hello.plugin).text(hello.version).text(hello.vendor).texts(hello.extensions);
  out.u8(hello.is_step).u8(hello.transactional).u8(hello.can_query).u8(hello.takes_webhooks);
  out.i64(hello.window_ms).u32(hello.state_min).u32(hello.state_max).u8(hello.has_migrations);
}
Hello read_hello(In& in) {
  Hello hello;
  hello.problem = in.text();
  hello.plugin = in.text();
  hello.version = in.text();
  hello.vendor = in.text();
  hello.extensions = in.texts();
  hello.is_step = in.u8() != 0;
  hello.transactional = in.u8() != 0;
  hello.can_query = in.u8() != 0;
  hello.takes_webhooks = in.u8() != 0;
  hello.window_ms = in.i64();
  hello.state_min = in.u32();
  hello.state_max = in.u32();
  hello.has_migrations = in.u8() != 0;
  return hello;
}

void write(Out& out, const Command& command) {
  out.text(command.key).text({reinterpret_cast<const char*>(command.order_id.bytes.data()), 16});
  out.text(command.subject).text(command.action).text(command.query_key).text(command.query_action);
  // The plugin's process has no database to ask: it takes the host's time.
  out.i64(to_ms(now())).i64(steady_now().count());
  out.u32(command.attempt).i64(to_ms(command.deadline)).i64(command.amount).text(command.currency);
  out.u8(command.exponent);
  write_totals(out, command.totals);
  out.u32(static_cast<std::uint32_t>(command.lines.size()));
  for (const CommandLine& line : command.lines)
    out.u32(line.line_id).text(line.sku).i64(line.quantity).i64(line.unit_price);
  out.text(command.customer_id).text(command.method).text(command.provider_reference);
  write_blob(out, command.state);
  out.text(command.secret_json).text(command.metadata_json).text(command.details_json);
  out.text(command.traceparent);
}
Command read_command(In& in) {
  Command command;
  command.key = in.text();
  const std::string id = in.text();
  if (id.size() == command.order_id.bytes.size())
    std::memcpy(command.order_id.bytes.data(), id.data(), id.size());
  command.subject = in.text();
  command.action = in.text();
  command.query_key = in.text();
  command.query_action = in.text();
  const Time time = from_ms(in.i64());
  measured_clock(time, Millis(in.i64()));
  command.attempt = in.u32();
  command.deadline = from_ms(in.i64());
  command.amount = in.i64();
  command.currency = in.text();
  command.exponent = in.u8();
  command.totals = read_totals(in);
  for (std::size_t left = in.count(24); left > 0; --left) {
    CommandLine line;
    line.line_id = in.u32();
    line.sku = in.text();
    line.quantity = in.i64();
    line.unit_price = in.i64();
    command.lines.push_back(std::move(line));
  }
  command.customer_id = in.text();
  command.method = in.text();
  command.provider_reference = in.text();
  command.state = read_blob(in);
  command.secret_json = in.text();
  command.metadata_json = in.text();
  command.details_json = in.text();
  command.traceparent = in.text();
  return command;
}

void write(Out& out, const Outcome& outcome) {
  out.u32(static_cast<std::uint32_t>(outcome.kind)).u32(static_cast<std::uint32_t>(outcome.query_answer));
  out.u8(outcome.hard).text(outcome.code).text(outcome.message).i64(outcome.retry_after.count());
  out.u8(outcome.next_action.has_value());
  if (outcome.next_action) out.text(outcome.next_action->type).text(outcome.next_action->url);
  write_time(out, outcome.expires);
  out.u8(outcome.totals.has_value());
  if (outcome.totals) write_totals(out, *outcome.totals);
  out.text(outcome.provider_reference).u8(outcome.state.has_value());
  if (outcome.state) write_blob(out, *outcome.state);
  out.text(outcome.details_json);
}
Outcome read_outcome(In& in) {
  Outcome outcome;
  const std::uint32_t kind = in.u32(), answer = in.u32();
  const bool known = kind >= 1 && kind <= 5 && answer <= 3;
  outcome.kind = known ? static_cast<OutcomeKind>(kind) : OutcomeKind::unknown;
  outcome.query_answer = known ? static_cast<QueryAnswer>(answer) : QueryAnswer::none;
  outcome.hard = in.u8() != 0;
  outcome.code = in.text();
  outcome.message = in.text();
  outcome.retry_after = Millis(in.i64());
  if (in.u8() != 0) {
    outcome.next_action.emplace();
    outcome.next_action->type = in.text();
    outcome.next_action->url = in.text();
  }
  outcome.expires = read_time(in);
  if (in.u8() != 0) outcome.totals = read_totals(in);
  outcome.provider_reference = in.text();
  if (in.u8() != 0) outcome.state = read_blob(in);
  outcome.details_json = in.text();
  return outcome;
}

void write(Out& out, const WebhookRequest& request) {
  out.text(request.method).u8(request.query.has_value()).text(request.query.value_or(""));
  out.text(request.body).i64(to_ms(request.received));
  out.u32(static_cast<std::uint32_t>(request.headers.size()));
  for (const auto& [name, value] : request.headers) out.text(name).text(value);
}
WebhookRequest read_request(In& in) {
  WebhookRequest request;
  request.method = in.text();
  const bool has_query = in.u8() != 0;
  std::string query = in.text();
  if (has_query) request.query = std::move(query);
  request.body = in.text();
  request.received = from_ms(in.i64());
  for (std::size_t left = in.count(8); left > 0; --left) {
    std::string name = in.text();
    request.headers.emplace_back(std::move(name), in.text());
  }
  return request;
}

void write(Out& out, const WebhookResult& result) {
  out.u8(static_cast<std::uint8_t>(result.kind)).text(result.problem);
  out.u32(static_cast<std::uint32_t>(result.reply_status)).text(result.reply_type).text(result.reply_body);
  out.u32(static_cast<std::uint32_t>(result.events.size()));
  for (const WebhookEvent& event : result.events) {
    out.text(event.event_id).text(event.type).text(event.command_key).text(event.subject);
    out.text(event.provider_reference);
    write(out, event.outcome);
    write_time(out, event.occurred);
  }
}
WebhookResult read_result(In& in) {
  WebhookResult result;
  const std::uint8_t kind = in.u8();
  result.kind = kind <= 2 ? static_cast<WebhookResult::Kind>(kind) : WebhookResult::Kind::failed;
  result.problem = in.text();
  result.reply_status = static_cast<int>(in.u32());
  result.reply_type = in.text();
  result.reply_body = in.text();
  for (std::size_t left = in.count(40); left > 0; --left) {
    WebhookEvent event;
    event.event_id = in.text();
    event.type = in.text();
    event.command_key = in.text();
    event.subject = in.text();
    event.provider_reference = in.text();
    event.outcome = read_outcome(in);
    event.occurred = read_time(in);
    result.events.push_back(std::move(event));
  }
  return result;
}

}  // namespace orderd::plugins::isolation
