#include "saga/core/state.h"

#include "base/sha256.h"
#include "model/json.h"
#include "model/order_json.h"

namespace orderd::saga {
namespace {

std::int64_t ms(Time time) { return time.time_since_epoch().count(); }
Time time(const json::Value& object, const char* name) { return Time(Millis(json::integer(object, name))); }

template <typename Enum>
std::int64_t number(Enum value) {
  return static_cast<std::int64_t>(value);
}

std::string open_json(const OpenCommand& open) {
  std::string out;
  json::Object object(out);
  object.add("step", std::int64_t{open.step}).add("phase", number(open.phase));
  for (const auto& [name, is] : {std::pair{"undo", open.compensation},
                                 {"query", open.query},
                                 {"extend", open.extend},
                                 {"look", open.recheck},
                                 {"unknown", open.unknown}})
    if (is) object.add(name, true);
  object.add("action", open.action)
      .add("seq", open.sequence)
      .add("gen", open.generation)
      .add("attempt", open.attempt)
      .add("sends", open.sends);
  object.add("amount", open.amount)
      .add("began", ms(open.began))
      .add("sent", ms(open.sent))
      .add("keySent", ms(open.key_sent))
      .add("deadline", ms(open.deadline))
      .add("next", ms(open.next));
  if (open.had) object.add("had", *open.had);
  if (open.unanswered_until != Time{}) object.add("lostUntil", ms(open.unanswered_until));
  if (open.contradicted_since != Time{}) object.add("doubted", ms(open.contradicted_since));
  if (open.expires) object.add("expires", ms(*open.expires));
  object.end();
  return out;
}

OpenCommand read_open(const json::Value& value) {
  OpenCommand open;
  open.step = static_cast<std::int16_t>(json::integer(value, "step"));
  open.compensation = json::boolean(value, "undo");
  open.query = json::boolean(value, "query");
  open.extend = json::boolean(value, "extend");
  open.recheck = json::boolean(value, "look");
  open.unknown = json::boolean(value, "unknown");
  open.phase = static_cast<CommandPhase>(json::integer(value, "phase", 1));
  open.action = json::string(value, "action");
  open.sequence = static_cast<std::uint32_t>(json::integer(value, "seq"));
  open.generation = static_cast<std::uint32_t>(json::integer(value, "gen"));
  open.attempt = static_cast<std::uint32_t>(json::integer(value, "attempt", 1));
  open.sends = static_cast<std::uint32_t>(json::integer(value, "sends", 1));  // older rows do not count them
  open.amount = json::integer(value, "amount");
  open.began = time(value, "began");
  open.sent = time(value, "sent");
  open.key_sent = time(value, "keySent");
  open.deadline = time(value, "deadline");
  open.next = time(value, "next");
  open.unanswered_until = time(value, "lostUntil");
  open.contradicted_since = time(value, "doubted");
  if (value.HasMember("had")) open.had = json::integer(value, "had");
  if (json::integer(value, "expires") != 0) open.expires = time(value, "expires");
  return open;
}

std::string attempt_json(const Attempt& attempt) {
  std::string out;
  json::Object object(out);
  object.add("seq", attempt.sequence).add("gen", attempt.generation).add("action", attempt.action);
  if (attempt.query) object.add("query", true);
  object.add("outcome", number(attempt.outcome));
  if (attempt.answer != QueryAnswer::none) object.add("answer", number(attempt.answer));
  if (!attempt.code.empty()) object.add("code", attempt.code);
  object.add("at", ms(attempt.at));
  if (attempt.took_ms != 0) object.add("took", attempt.took_ms);
  if (!attempt.by.empty()) object.add("by", attempt.by);
  if (!attempt.digest.empty()) object.add("plugin", attempt.digest);
  if (!attempt.message.empty()) object.add("message", attempt.message);
  object.end();
  return out;
}

Attempt read_attempt(const json::Value& value) {
  Attempt attempt;
  attempt.sequence = static_cast<std::uint32_t>(json::integer(value, "seq"));
  attempt.generation = static_cast<std::uint32_t>(json::integer(value, "gen"));
  attempt.action = json::string(value, "action");
  attempt.query = json::boolean(value, "query");
  attempt.outcome = static_cast<OutcomeKind>(json::integer(value, "outcome", 5));
  attempt.answer = static_cast<QueryAnswer>(json::integer(value, "answer"));
  attempt.code = json::string(value, "code");
  attempt.at = time(value, "at");
  attempt.took_ms = json::integer(value, "took");
  attempt.by = json::string(value, "by");
  attempt.digest = json::string(value, "plugin");
  attempt.message = json::string(value, "message");
  return attempt;
}

std::optional<Reason> read_reason(const json::Value& document, const char* name) {
  const auto* value = json::child(document, name);
  if (!value) return std::nullopt;
  return Reason{std::string(json::string(*value, "code")), std::string(json::string(*value, "message"))};
}

std::string blobs_json(const Saga& saga) {
  std::string out;
  json::Object object(out);
  for (const auto& [slot, blob] : saga.blobs) {
    std::string entry;
    json::Object one(entry);
    one.add("v", blob.version).add("b", to_base64url(blob.bytes)).end();
    object.raw(slot, entry);
  }
  object.end();
  return out;
}

void read_texts(const json::Value& document, const char* name, std::map<std::string, std::string>& texts) {
  if (const auto* object = json::child(document, name))
    for (const auto& member : object->GetObject()) texts[member.name.GetString()] = member.value.GetString();
}

std::string texts_json(const std::map<std::string, std::string>& texts) {
  std::string out;
  json::Object object(out);
  for (const auto& [slot, text] : texts) object.add(slot, text);
  object.end();
  return out;
}

std::string books_json(const Books& books) {
  std::string out;
  json::Object object(out);
  for (const auto& [name, amount] : {std::pair{"refunded", books.refunded},
                                     {"voided", books.voided},
                                     {"refundedTo", books.refunded_to},
                                     {"voidedTo", books.voided_to},
                                     {"capturesFailed", books.captures_failed},
                                     {"refundsFailed", books.refunds_failed}})
    if (amount != 0) object.add(name, amount);
  if (books.decided) object.add("decided", ms(*books.decided));
  if (books.refund_failures != 0) object.add("refundFailures", books.refund_failures);
  if (books.disputed)
    object.raw("disputed", "[" + std::to_string(books.disputed->authorized) + "," +
                               std::to_string(books.disputed->captured) + "," +
                               std::to_string(books.disputed->refunded) + "," +
                               std::to_string(books.disputed->voided) + "]");
  if (books.accepted) object.add("accepted", *books.accepted);
  if (books.withheld) object.raw("withheld", reason_json(books.withheld));
  object.end();
  return out;
}

Books read_books(const json::Value& value) {
  Books books;
  books.refunded = json::integer(value, "refunded");
  books.voided = json::integer(value, "voided");
  books.refunded_to = json::integer(value, "refundedTo");
  books.voided_to = json::integer(value, "voidedTo");
  if (value.HasMember("decided")) books.decided = time(value, "decided");
  books.captures_failed = json::integer(value, "capturesFailed");
  books.refunds_failed = json::integer(value, "refundsFailed");
  books.refund_failures = static_cast<std::uint32_t>(json::integer(value, "refundFailures"));
  if (const auto* disputed = json::child(value, "disputed");
      disputed && disputed->IsArray() && disputed->Size() == 4) {
    std::array<std::int64_t, 4> of{};
    for (rapidjson::SizeType i = 0; i < 4; ++i)
      if ((*disputed)[i].IsInt64()) of[i] = (*disputed)[i].GetInt64();
    books.disputed = PaymentTotals{of[0], of[1], of[2], of[3]};
  }
  if (value.HasMember("accepted")) books.accepted = json::integer(value, "accepted");
  books.withheld = read_reason(value, "withheld");
  return books;
}

/// What only some sagas have.
void add_rare(json::Object& object, const Saga& saga) {
  if (saga.reason) object.raw("reason", reason_json(saga.reason));
  if (saga.stuck) object.raw("stuck", reason_json(saga.stuck));
  if (saga.attention) object.raw("attention", reason_json(saga.attention));
  if (saga.stuck || saga.attention) object.add("attentionSince", ms(saga.attention_since));
  if (saga.last_notice_at != Time{}) object.add("toldUntil", ms(saga.last_notice_at));
  if (saga.recheck_requested_at != Time{}) object.add("hinted", ms(saga.recheck_requested_at));
  if (saga.books != Books{}) object.raw("books", books_json(saga.books));
  if (saga.suspended) object.raw("suspended", open_json(*saga.suspended));
  if (saga.reservation_expires_at)
    object.add("heldUntil", ms(*saga.reservation_expires_at))
        .add("heldStep", std::int64_t{saga.held_step})
        .add("extendAt", ms(saga.extend_at));
}

void read_rare(const json::Value& document, Saga& saga) {
  saga.reason = read_reason(document, "reason");
  saga.stuck = read_reason(document, "stuck");
  saga.attention = read_reason(document, "attention");
  saga.attention_since = time(document, "attentionSince");
  saga.last_notice_at = time(document, "toldUntil");
  saga.recheck_requested_at = time(document, "hinted");
  if (const auto* books = json::child(document, "books")) saga.books = read_books(*books);
  if (const auto* suspended = json::child(document, "suspended")) saga.suspended = read_open(*suspended);
  if (json::integer(document, "heldUntil") != 0) saga.reservation_expires_at = time(document, "heldUntil");
  saga.held_step = static_cast<std::int16_t>(json::integer(document, "heldStep"));
  saga.extend_at = time(document, "extendAt");
}

void read_plugins(const json::Value& document, Saga& saga) {
  if (const auto* blobs = json::child(document, "blobs"))
    for (const auto& member : blobs->GetObject())
      saga.blobs[member.name.GetString()] = {static_cast<std::uint32_t>(json::integer(member.value, "v")),
                                             from_base64url(json::string(member.value, "b"))};
  read_texts(document, "plugins", saga.digests);
  read_texts(document, "instances", saga.instances);
}

}  // namespace

namespace {
template <typename Command>
std::string key_of(const Saga& saga, const Command& command) {
  return saga.order_id.to_string() + "." + command.action + "." + std::to_string(command.sequence) + ".g" +
         std::to_string(command.generation);
}
}  // namespace

std::string command_key(const Saga& saga, const OpenCommand& open) { return key_of(saga, open); }
std::string command_key(const Saga& saga, const Attempt& attempt) { return key_of(saga, attempt); }

std::string query_key(const Saga& saga, const OpenCommand& open) {
  return command_key(saga, open) + ".q" + std::to_string(open.attempt);
}

void note(std::vector<Attempt>& timeline, Attempt attempt) {
  constexpr std::ptrdiff_t first_kept = 8;
  if (attempt.message.size() > message_bytes_max) {
    std::size_t end = message_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(attempt.message[end]) & 0xc0) == 0x80) --end;
    attempt.message.resize(end);
  }
  if (timeline.size() >= attempts_kept_max) timeline.erase(timeline.begin() + first_kept);
  timeline.push_back(std::move(attempt));
}

std::string to_json(const Saga& saga) {
  std::string steps = "[";
  for (const StepResult result : saga.steps)
    steps.append(steps.size() > 1 ? "," : "").append(std::to_string(number(result)));
  steps.push_back(']');
  std::string out;
  out.reserve(600);
  json::Object object(out);
  object.add("orderId", saga.order_id.to_string())
      .add("shard", std::int64_t{saga.shard})
      .add("definition", saga.definition);
  object.add("mode", number(saga.mode)).add("status", name(saga.status)).add("version", saga.version);
  object.add("updated", ms(saga.updated)).raw("steps", steps).add("seq", saga.sequence);
  if (saga.open) object.raw("open", open_json(*saga.open));
  add_rare(object, saga);
  object.raw("payment", payment_json(saga.payment))
      .add("told", name(saga.published_payment_status))
      .add("voided", saga.voided);
  object.add("reference", saga.reference);
  if (!saga.blobs.empty()) object.raw("blobs", blobs_json(saga));
  if (!saga.digests.empty()) object.raw("plugins", texts_json(saga.digests));
  if (!saga.instances.empty()) object.raw("instances", texts_json(saga.instances));
  if (!saga.attempts.empty()) {
    std::string attempts = "[";
    for (const Attempt& attempt : saga.attempts)
      attempts.append(attempts.size() > 1 ? "," : "").append(attempt_json(attempt));
    object.raw("attempts", attempts + "]");
  }
  object.end();
  return out;
}

std::optional<Saga> from_json(std::string_view text) {
  json::Document document;
  if (!json::parse(text, document) || !document.IsObject()) return std::nullopt;
  Saga saga;
  const auto id = Uuid::parse(json::string(document, "orderId"));
  const auto status = parse_status(json::string(document, "status"));
  const auto* steps = json::child(document, "steps");
  const auto* payment = json::child(document, "payment");
  if (!id || !status || !steps || !payment) return std::nullopt;
  saga.order_id = *id;
  saga.status = *status;
  saga.shard = static_cast<std::int16_t>(json::integer(document, "shard"));
  saga.definition = json::string(document, "definition");
  saga.mode = static_cast<Mode>(json::integer(document, "mode", 1));
  saga.version = static_cast<std::int32_t>(json::integer(document, "version"));
  saga.updated = time(document, "updated");
  for (const auto& step : steps->GetArray()) saga.steps.push_back(static_cast<StepResult>(step.GetInt()));
  if (const auto* open = json::child(document, "open")) saga.open = read_open(*open);
  saga.sequence = static_cast<std::uint32_t>(json::integer(document, "seq"));
  read_rare(document, saga);
  saga.payment = read_payment(*payment);
  saga.published_payment_status =
      parse_payment_status(json::string(document, "told")).value_or(PaymentStatus::none);
  saga.voided = json::integer(document, "voided");
  saga.reference = json::string(document, "reference");
  read_plugins(document, saga);
  if (const auto* attempts = json::child(document, "attempts"))
    for (const auto& attempt : attempts->GetArray()) saga.attempts.push_back(read_attempt(attempt));
  return saga;
}

}  // namespace orderd::saga
