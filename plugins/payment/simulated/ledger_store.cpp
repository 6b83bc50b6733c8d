#include "ledger_store.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <set>

namespace simulated {
namespace {

using orderd::sdk::Params;

constexpr std::int64_t payments_per_page = 500;
constexpr const char* sqlstate_moved = "SIM01";  // raised by expect()

enum Statement : std::size_t {
  load_payments,
  load_effects,
  load_calls,
  insert_payments,
  update_payments,
  insert_effects,
  save_calls,
  list_payments,
  gate_shared,
  gate_alone,
};

/// The statements of `enum Statement`, for a schema.
std::vector<std::string> statements(const std::string& s) {
  return {
      "select payment_id, token, currency, authorized, captured, refunded, voided, failures, closed, changes "
      "from " +
          s + ".payments where payment_id = any($1::text[])",

      "select key, payment_id, kind, amount from " + s + ".ledger where key = any($1::text[])",

      "select key, payment_id, kind, state, code, message, soft, amount, expires_ms, approved from " + s +
          ".calls where key = any($1::text[])",

      "insert into " + s +
          ".payments (payment_id, token, currency, authorized, captured, refunded, voided, failures, closed, "
          "changes) select i, t, c, a, p, r, v, f, b <> 0, 1 from unnest($1::text[], $2::text[], $3::text[], "
          "$4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::int4[], $9::int2[]) "
          "u(i, t, c, a, p, r, v, f, b)",

      "with done as (update " + s +
          ".payments p set token = u.t, currency = u.c, authorized = u.a, captured = u.p, refunded = u.r, "
          "voided = u.v, failures = u.f, closed = u.b <> 0, changes = u.x + 1 "
          "from unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::int8[], $6::int8[], $7::int8[], "
          "$8::int4[], $9::int2[], $10::int4[]) u(i, t, c, a, p, r, v, f, b, x) "
          "where p.payment_id = u.i and p.changes = u.x returning 1) select " +
          s + ".expect((select count(*) from done), $11::int8)",

      "insert into " + s +
          ".ledger (payment_id, key, kind, amount, currency, reference) select * from "
          "unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::text[], $6::text[])",

      "insert into " + s +
          ".calls (key, payment_id, kind, state, code, message, soft, amount, expires_ms) "
          "select k, p, n, t, c, m, f <> 0, a, e from unnest($1::text[], $2::text[], $3::text[], $4::text[], "
          "$5::text[], $6::text[], $7::int2[], $8::int8[], $9::int8[]) u(k, p, n, t, c, m, f, a, e) "
          "on conflict (key) do update set state = excluded.state, code = excluded.code, "
          "message = excluded.message",

      "select payment_id, authorized, captured, refunded, voided from " + s +
          ".payments where payment_id > $2 and payment_id in "
          "(select payment_id from " +
          s + ".ledger where at >= $1::timestamptz) order by payment_id limit $3::int8",

      "select pg_advisory_xact_lock_shared($1::int8)",
      "select pg_advisory_xact_lock($1::int8)",
  };
}

std::string tables(const std::string& s) {
  return "create schema if not exists " + s +
         ";"
         "create table if not exists " +
         s +
         ".ledger ("
         "  id bigint generated always as identity,"
         "  payment_id text not null,"
         "  key text primary key,"
         "  kind text not null check (kind in ('authorize', 'capture', 'void', 'refund')),"
         "  amount bigint not null check (amount > 0),"
         "  currency text not null,"
         "  reference text not null,"
         "  at timestamptz not null default now());"
         "create index if not exists ledger_at on " +
         s +
         ".ledger using brin (at);"
         "create table if not exists " +
         s +
         ".payments ("
         "  payment_id text primary key,"
         "  token text not null,"
         "  currency text not null,"
         "  authorized bigint not null,"
         "  captured bigint not null,"
         "  refunded bigint not null,"
         "  voided bigint not null,"
         "  failures int not null,"
         "  closed boolean not null,"
         "  changes int not null,"
         "  check (0 <= refunded and refunded <= captured and 0 <= voided and captured + voided <= "
         "authorized)"
         ") with (fillfactor = 60);"
         "create or replace function " +
         s +
         ".expect(changed bigint, wanted bigint) returns void language plpgsql as $$"
         "  begin if changed <> wanted then"
         "    raise exception 'a payment changed meanwhile' using errcode = '" +
         sqlstate_moved +
         "';"
         "  end if; end $$;"
         "create table if not exists " +
         s +
         ".calls ("
         "  key text primary key,"
         "  payment_id text not null,"
         "  kind text not null,"
         "  state text not null check (state in ('done', 'declined', 'pending')),"
         "  code text not null,"
         "  message text not null,"
         "  soft boolean not null,"
         "  amount bigint not null,"
         "  expires_ms bigint not null,"
         "  approved boolean,"
         "  at timestamptz not null default now());"
         "create index if not exists calls_of_payment on " +
         s +
         ".calls (payment_id);"
         // Last: where this table is, the others are.
         "create table if not exists " +
         s +
         ".events ("
         "  id bigint generated always as identity primary key,"
         "  payment_id text not null,"
         "  key text not null,"
         "  approved boolean not null,"
         "  at timestamptz not null default now());";
}

std::int64_t number_of(const std::string& schema) {
  std::uint64_t hash = 14695981039346656037u;  // FNV-1a
  for (const char c : "payment_simulated " + schema)
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return static_cast<std::int64_t>(hash);
}

/// Makes what is missing, one host at a time, before anything is prepared.
const std::string& with_tables(const std::string& url, const std::string& schema,
                               const std::string& application_name) {
  PgSession session(url, application_name, {});
  // A scan sees what was committed while the lock was waited for; to_regclass() may answer from the session's
  // cache.
  const std::string exists =
      "select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = "
      "'" +
      schema + "' and c.relname = 'events')";
  if (session.ask(exists).boolean(0, 0)) return url;
  session.script("begin");
  session.script("select pg_advisory_xact_lock(" + std::to_string(number_of(schema)) + ")");
  if (!session.ask(exists).boolean(0, 0)) session.script(tables(schema));
  session.script("commit");
  return url;
}

std::vector<std::string> list_of(const std::set<std::string>& set) { return {set.begin(), set.end()}; }

}  // namespace

bool LedgerStore::is_conflict(const PgSessionError& error) {
  return error.sqlstate == sqlstate_moved || error.sqlstate == "23505" || error.sqlstate == "40P01" ||
         error.sqlstate == "40001";
}

LedgerStore::LedgerStore(const std::string& url, const std::string& schema,
                         const std::string& application_name)
    : session_(with_tables(url, schema, application_name), application_name, statements(schema)),
      gate_(number_of(schema)) {}

BatchState LedgerStore::load(const std::vector<const Command*>& commands) {
  BatchState batch = load_once(commands, false);
  for (const Command* command : commands)
    if (!command->query_key.empty() && batch.payment_of(command->query_key).empty())
      return load_once(commands, true);
  return batch;
}

BatchState LedgerStore::load_once(const std::vector<const Command*>& commands, bool after_all_writers) {
  std::set<std::string> payments, keys;
  for (const Command* command : commands) {
    payments.insert(command->subject);
    keys.insert(command->query_key.empty() ? command->key : command->query_key);
  }
  std::vector<Trip> trip;
  if (after_all_writers) trip.push_back({gate_alone, Params().int8(gate_)});
  const std::size_t first = trip.size();
  trip.push_back({load_payments, Params().texts(list_of(payments))});
  trip.push_back({load_effects, Params().texts(list_of(keys))});
  trip.push_back({load_calls, Params().texts(list_of(keys))});
  const std::vector<Rows> results = session_.run(trip);

  BatchState batch;
  const Rows& payment = results[first];
  for (int i = 0; i < payment.size(); ++i)
    batch.payments[payment.text(i, 0)] = {payment.text(i, 0),
                                          payment.text(i, 1),
                                          payment.text(i, 2),
                                          payment.integer(i, 3),
                                          payment.integer(i, 4),
                                          payment.integer(i, 5),
                                          payment.integer(i, 6),
                                          static_cast<std::int32_t>(payment.integer(i, 7)),
                                          payment.boolean(i, 8),
                                          static_cast<std::int32_t>(payment.integer(i, 9)),
                                          false};
  const Rows& effect = results[first + 1];
  for (int i = 0; i < effect.size(); ++i)
    batch.effects[effect.text(i, 0)] = {effect.text(i, 0), effect.text(i, 1), effect.text(i, 2),
                                        effect.integer(i, 3)};
  const Rows& call = results[first + 2];
  for (int i = 0; i < call.size(); ++i) {
    Call& one = batch.calls[call.text(i, 0)];
    one = {call.text(i, 0),
           call.text(i, 1),
           call.text(i, 2),
           call.text(i, 3),
           call.text(i, 4),
           call.text(i, 5),
           call.boolean(i, 6),
           call.integer(i, 7),
           call.integer(i, 8),
           {},
           false};
    if (!call.is_null(i, 9)) one.approved = call.boolean(i, 9);
  }
  return batch;
}

void LedgerStore::send_payments(std::vector<Trip>& trip, const BatchState& batch) const {
  struct Columns {
    std::vector<std::string> id, token, currency;
    std::vector<std::int64_t> authorized, captured, refunded, voided;
    std::vector<std::int32_t> failures, changes;
    std::vector<std::int16_t> closed;
    Params params() const {
      Params out;
      out.texts(id).texts(token).texts(currency).int8s(authorized).int8s(captured).int8s(refunded);
      out.int8s(voided).int4s(failures).int2s(closed);
      return out;
    }
  } fresh, known;
  for (const auto& [id, payment] : batch.payments) {
    if (!payment.changed) continue;
    Columns& to = payment.changes == 0 ? fresh : known;
    to.id.push_back(id);
    to.token.push_back(payment.token);
    to.currency.push_back(payment.currency);
    to.authorized.push_back(payment.authorized);
    to.captured.push_back(payment.captured);
    to.refunded.push_back(payment.refunded);
    to.voided.push_back(payment.voided);
    to.failures.push_back(payment.failures);
    to.closed.push_back(payment.closed ? 1 : 0);
    to.changes.push_back(payment.changes);
  }
  if (!fresh.id.empty()) trip.push_back({insert_payments, fresh.params()});
  if (known.id.empty()) return;
  Params params = known.params();
  params.int4s(known.changes).int8(static_cast<std::int64_t>(known.id.size()));
  trip.push_back({update_payments, std::move(params)});
}

void LedgerStore::send_effects(std::vector<Trip>& trip, const BatchState& batch) const {
  if (batch.new_effects.empty()) return;
  std::vector<std::string> payments, keys, kinds, currencies, references;
  std::vector<std::int64_t> amounts;
  for (const Effect* effect : batch.new_effects) {
    payments.push_back(effect->payment_id);
    keys.push_back(effect->key);
    kinds.push_back(effect->kind);
    amounts.push_back(effect->amount);
    currencies.push_back(batch.payments.at(effect->payment_id).currency);
    references.push_back(reference_of(effect->payment_id));
  }
  Params params;
  params.texts(payments).texts(keys).texts(kinds).int8s(amounts).texts(currencies).texts(references);
  trip.push_back({insert_effects, std::move(params)});
}

void LedgerStore::send_calls(std::vector<Trip>& trip, const BatchState& batch) const {
  std::vector<std::string> keys, payments, kinds, states, codes, messages;
  std::vector<std::int16_t> soft;
  std::vector<std::int64_t> amounts, expires;
  for (const auto& [key, call] : batch.calls) {
    if (!call.changed) continue;
    keys.push_back(key);
    payments.push_back(call.payment_id);
    kinds.push_back(call.kind);
    states.push_back(call.state);
    codes.push_back(call.code);
    messages.push_back(call.message);
    soft.push_back(call.soft ? 1 : 0);
    amounts.push_back(call.amount);
    expires.push_back(call.expires_ms);
  }
  if (keys.empty()) return;
  Params params;
  params.texts(keys).texts(payments).texts(kinds).texts(states).texts(codes).texts(messages);
  params.int2s(soft).int8s(amounts).int8s(expires);
  trip.push_back({save_calls, std::move(params)});
}

void LedgerStore::save(const BatchState& batch) {
  std::vector<Trip> trip{{gate_shared, Params().int8(gate_)}};
  send_payments(trip, batch);
  send_effects(trip, batch);
  send_calls(trip, batch);
  session_.run(trip);
}

std::string LedgerStore::list_since(std::int64_t since_ms, const std::string& cursor) {
  const auto results =
      session_.run({{list_payments, Params().timestamptz(since_ms).text(cursor).int8(payments_per_page)}});
  const Rows& rows = results.front();
  rapidjson::StringBuffer out;
  rapidjson::Writer<rapidjson::StringBuffer> json(out);
  const auto text = [&](const std::string& value) {
    json.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  json.StartObject();
  json.Key("payments");
  json.StartArray();
  for (int i = 0; i < rows.size(); ++i) {
    json.StartObject();
    json.Key("subject");
    text(rows.text(i, 0));
    json.Key("reference");
    text(reference_of(rows.text(i, 0)));
    constexpr const char* totals[] = {"authorized", "captured", "refunded", "voided"};
    for (int column = 0; column < 4; ++column) {
      json.Key(totals[column]);
      json.Int64(rows.integer(i, column + 1));
    }
    json.EndObject();
  }
  json.EndArray();
  json.Key("cursor");
  if (rows.size() == payments_per_page)
    text(rows.text(rows.size() - 1, 0));
  else
    json.Null();
  json.EndObject();
  return out.GetString();
}

}  // namespace simulated
