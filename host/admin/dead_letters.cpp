#include "admin/dead_letters.h"

#include <algorithm>

#include "base/sha256.h"
#include "base/utf8.h"
#include "model/json.h"
#include "saga/storage/inbox.h"
#include "saga/storage/records.h"

namespace orderd::admin {
namespace {

#define LETTER                                                                                         \
  "select p.id, p.consumer, p.reason, p.shard, p.pos, p.at, p.replay, p.order_id, p.from_version, "    \
  "e.type, e.at, e.payload, coalesce(e.traceparent, ''), e.pos, coalesce(p.headers, '{}'), p.payload " \
  "from parked p left join order_events e on e.order_id = p.order_id and e.version = p.from_version "
constexpr store::Statement list_letters{
    "admin_letters", LETTER
    "where p.id > $1::int8 and ($2::text is null or p.consumer = $2) and ($3::uuid is null or p.order_id = "
    "$3) order by p.id limit $4::int8"};
constexpr store::Statement some_letters{"admin_some_letters",
                                        LETTER "where p.id = any($1::int8[]) order by p.id for update of p"};
constexpr store::Statement one_letter{"admin_letter", LETTER "where p.id = $1::int8"};
constexpr store::Statement ids_of_consumer{
    "admin_letters_of", "select id from parked where consumer = $1 order by id limit $2::int8"};
constexpr store::Statement schedule{"admin_replay",
                                    "update parked set replay = $2::timestamptz where id = $1::int8"};
constexpr store::Statement take_out{"admin_take_letter", "delete from parked where id = $1::int8"};

// Set by the saga when it parked the event; parked again, it is set again.
constexpr store::Statement forget_attention{
    "admin_forget_parked",
    "update order_state set attention = null where id = $1 and attention::jsonb ->> 'code' = $2"};

constexpr store::Statement delete_letters{"admin_delete_foreign",
                                          "delete from parked where id in (select p.id from parked p left "
                                          "join order_events e on e.order_id = p.order_id "
                                          "and e.version = p.from_version where (p.id = any($1::int8[]) or "
                                          "p.consumer = $2::text) and e.order_id is null "
                                          "order by p.id limit $3::int8) returning id"};

/// The headers with which an event of ours goes to the bus.
std::string headers_of(const Event& event) {
  std::string out;
  json::Object object(out);
  const std::string id = event.order_id.to_string(), version = std::to_string(event.version);
  object.add("ce_specversion", "1.0").add("ce_id", id + ":" + version).add("ce_type", name(event.type));
  object.add("ce_source", "/orderd").add("ce_subject", id).add("ce_time", to_rfc3339(event.at));
  object.add("ce_sequence", version);
  if (!event.traceparent.empty()) object.add("traceparent", event.traceparent);
  object.end();
  return out;
}

Letter letter_of(const store::Rows& rows, int i) {
  Letter letter;
  letter.id = rows.integer(i, 0);
  letter.consumer = rows.bytes(i, 1);
  letter.reason = rows.bytes(i, 2);
  letter.shard = static_cast<std::int16_t>(rows.integer(i, 3));
  letter.pos = rows.integer(i, 4);
  letter.at = rows.time(i, 5);
  letter.replay = rows.optional_time(i, 6);
  if (rows.is_null(i, 9)) {
    letter.headers_json = rows.jsonb(i, 14);
    if (!rows.is_null(i, 15)) letter.payload = rows.bytes(i, 15);
    return letter;
  }
  letter.event = Event{rows.uuid(i, 7),
                       static_cast<std::int32_t>(rows.integer(i, 8)),
                       static_cast<EventType>(rows.integer(i, 9)),
                       rows.time(i, 10),
                       std::string(rows.bytes(i, 11)),
                       std::string(rows.bytes(i, 12))};
  letter.headers_json = headers_of(*letter.event);
  letter.payload = letter.event->payload;
  letter.pos = rows.integer(i, 13);
  return letter;
}

bool is_text(const std::string& bytes) { return bytes.find('\0') == bytes.npos && is_utf8(bytes); }

void plan(store::UnitOfWork& work, const Letter& letter, Time at) {
  if (letter.consumer.rfind("saga", 0) != 0) {
    work.send(schedule, store::Args().int8(letter.id).timestamptz(at));
    return;
  }
  saga::put_replay(work, *letter.event, letter.pos, at);
  work.send(take_out, store::Args().int8(letter.id));
  work.send(forget_attention, store::Args().uuid(letter.event->order_id).text(saga::event_parked_code));
}

void audit(store::UnitOfWork& work, const ReplayWish& wish, const Letter& letter) {
  std::string data;
  json::Object object(data);
  object.raw("by", wish.actor_data).add("consumer", letter.consumer).add("letter", letter.id);
  object.add("version", letter.event->version).add("was", letter.reason).end();
  auth::write_audit(
      work, {wish.actor, "dead-letter.replay", letter.event->order_id.to_string(), wish.reason, data});
}

}  // namespace

std::string letter_json(const Letter& letter, bool whole) {
  std::string out;
  json::Object object(out);
  object.add("id", letter.id).add("consumer", letter.consumer);
  if (letter.event) {
    object.add("orderId", letter.event->order_id.to_string()).add("version", letter.event->version);
    object.add("type", name(letter.event->type));
  } else {
    object.raw("orderId", "null").raw("version", "null").raw("type", "null");
  }
  object.add("partition", std::int64_t{letter.shard}).add("position", letter.pos);
  object.add("reason", letter.reason).add("at", to_rfc3339(letter.at));
  letter.replay ? object.add("replayAt", to_rfc3339(*letter.replay)) : object.raw("replayAt", "null");
  object.add("replayable", letter.replayable());
  if (whole) {
    const bool text = is_text(letter.payload);
    object.raw("headers", letter.headers_json);
    object.add(text ? "payload" : "payloadBase64", text ? letter.payload : to_base64url(letter.payload));
  }
  object.end();
  return out;
}

std::vector<Letter> letters(store::Connection& connection, const LetterFilter& filter, int limit) {
  store::Args args;
  args.int8(filter.after);
  filter.consumer ? args.text(*filter.consumer) : args.null();
  filter.order_id ? args.uuid(*filter.order_id) : args.null();
  const auto rows = connection.run(list_letters, std::move(args.int8(limit + 1)));
  std::vector<Letter> out;
  for (int i = 0; i < rows.size(); ++i) out.push_back(letter_of(rows, i));
  return out;
}

std::optional<Letter> letter(store::Connection& connection, std::int64_t id) {
  const auto rows = connection.run(one_letter, store::Args().int8(id));
  return rows.empty() ? std::nullopt : std::optional(letter_of(rows, 0));
}

Replayed replay(store::Connection& connection, const ReplayWish& wish) {
  Replayed out;
  std::vector<std::int64_t> ids = wish.ids;
  store::UnitOfWork work(connection);
  if (wish.consumer) {
    const auto limit = static_cast<std::int64_t>(letters_per_replay_max);
    const auto rows = work.run(ids_of_consumer, store::Args().text(*wish.consumer).int8(limit + 1));
    for (int i = 0; i < rows.size() && i < limit; ++i) ids.push_back(rows.integer(i, 0));
    out.more = rows.size() > limit;
  }
  const auto rows = work.run(some_letters, store::Args().int8s(ids));
  const Time begin = now();
  out.until = begin;
  for (int i = 0; i < rows.size(); ++i) {
    const Letter one = letter_of(rows, i);
    std::erase(ids, one.id);
    if (!one.replayable()) {
      out.refused.emplace_back(one.id, "it is no event of this system: look at its headers and payload");
      continue;
    }
    out.until = begin + Millis(1000 * static_cast<std::int64_t>(out.accepted.size()) / wish.per_second);
    plan(work, one, out.until);
    audit(work, wish, one);
    out.accepted.push_back(one.id);
  }
  for (const std::int64_t id : ids) out.refused.emplace_back(id, "there is no such dead letter");
  work.commit();
  return out;
}

Deleted delete_foreign(store::Connection& connection, const ReplayWish& wish) {
  store::UnitOfWork work(connection);
  store::Args args;
  args.int8s(wish.ids);
  wish.consumer ? args.text(*wish.consumer) : args.null();
  const auto rows = work.run(delete_letters, std::move(args.int8(foreign_per_deletion_max)));
  std::string ids;
  for (int i = 0; i < rows.size() && i < 100; ++i)
    ids += (i > 0 ? "," : "") + std::to_string(rows.integer(i, 0));
  std::string data;
  json::Object object(data);
  object.raw("by", wish.actor_data)
      .add("count", std::int64_t{rows.size()})
      .raw("first", "[" + ids + "]")
      .end();
  if (!rows.empty())
    auth::write_audit(
        work, {wish.actor, "dead-letter.delete", wish.consumer.value_or("parked"), wish.reason, data});
  work.commit();
  return {rows.size(), wish.consumer && rows.size() == foreign_per_deletion_max};
}

}  // namespace orderd::admin
