#include "admin/records.h"

#include <algorithm>
#include <array>

#include "base/log.h"
#include "model/order_json.h"
#include "saga/routing/bindings.h"

namespace orderd::admin {
namespace {

constexpr store::Statement read_records{
    "admin_records",
    "select o.id, coalesce(g.data, j.data), g.data is not null, e.payload, coalesce(o.attention, '') from "
    "order_state o "
    "join order_events e on e.order_id = o.id and e.version = 1 left join sagas g on g.order_id = o.id "
    "left join lateral (select data from saga_journal where order_id = o.id "
    "order by (data ->> 'version')::int4 desc, (data ->> 'seq')::int8 desc, at desc limit 1"
    ") j "
    "on g.order_id is null where o.id = any($1::uuid[])"};
constexpr store::Statement read_definitions{
    "admin_definitions",
    "select digest, body ->> 'text' from saga_definitions where digest = any($1::text[])"};

constexpr std::array<std::string_view, 7> state_names{"RUNNING", "WAITING", "PARKED",  "PENDING",
                                                      "UNKNOWN", "STUCK",   "FINISHED"};

using Definitions = std::map<std::string, std::shared_ptr<const saga::Definition>>;

Definitions definitions(store::Connection& connection, const std::vector<std::string>& digests) {
  Definitions out;
  const auto rows = connection.run(read_definitions, store::Args().texts(digests));
  for (int i = 0; i < rows.size(); ++i) {
    const std::string digest(rows.bytes(i, 0));
    out[digest] = std::make_shared<const saga::Definition>(
        saga::parse_definition(std::string(rows.bytes(i, 1)), "saga_definitions/" + digest));
  }
  return out;
}

}  // namespace

std::string instance_of(const Record& record, const std::string& slot, const Slots& slots) {
  const auto found = slots.find(slot);
  const std::string standard = found == slots.end() ? "" : found->second.instance;
  return record.saga ? saga::instance_of(*record.saga, slot, standard) : standard;
}

Slots own_slots(const Record& record, Slots slots) {
  for (auto& [slot, info] : slots) info.instance = instance_of(record, slot, slots);
  return slots;
}

std::map<Uuid, Record> records(store::Connection& connection, const std::vector<Uuid>& order_ids) {
  std::map<Uuid, Record> out;
  std::vector<std::string> digests;
  const auto rows = connection.run(read_records, store::Args().uuids(order_ids));
  for (int i = 0; i < rows.size(); ++i) {
    Record record;
    if (auto body = read_body(rows.bytes(i, 3))) record.body = std::move(*body);
    if (!rows.is_null(i, 1)) record.saga = saga::from_json(rows.jsonb(i, 1));
    record.live = rows.boolean(i, 2);
    record.attention_json = rows.bytes(i, 4);
    if (record.saga) digests.push_back(record.saga->definition);
    out.emplace(rows.uuid(i, 0), std::move(record));
  }
  if (digests.empty()) return out;
  const Definitions known = definitions(connection, digests);
  for (auto& [id, record] : out) {
    if (!record.saga) continue;
    const auto found = known.find(record.saga->definition);
    if (found != known.end() && found->second->steps.size() == record.saga->steps.size()) {
      record.definition = found->second;
      continue;
    }
    log_error("admin", "an order's saga has no definition that fits it", {{"order", id.to_string()}});
    record.saga.reset();
  }
  return out;
}

std::string_view name(State state) { return state_names[static_cast<std::size_t>(state)]; }

std::optional<State> parse_state(std::string_view text) {
  const auto found = std::find(state_names.begin(), state_names.end(), text);
  if (found == state_names.end()) return std::nullopt;
  return static_cast<State>(found - state_names.begin());
}

// saga_list.cpp says the same in SQL.
State state_of(const saga::Saga& saga, Time now) {
  if (saga.stuck) return State::stuck;
  if (saga.mode == saga::Mode::finished) return State::finished;
  if (!saga.open) return State::running;
  if (saga.open->unknown) return State::unknown;
  switch (saga.open->phase) {
    case saga::CommandPhase::sent:
      return State::running;
    case saga::CommandPhase::pending:
      return State::pending;
    case saga::CommandPhase::waiting:
      break;
  }
  return saga.open->next + parked_after < now ? State::parked : State::waiting;
}

// saga_list.cpp says the same in SQL.
std::int64_t money_at_risk(const saga::Saga& saga) {
  const PaymentView& payment = saga.payment;
  const std::int64_t held =
      (payment.captured > 0 ? payment.captured - payment.refunded : payment.authorized - saga.voided) -
      payment.settled;
  const bool may_be_moved = saga.open && saga.open->unknown && !saga.open->compensation;
  return std::max({held, std::int64_t{0}, may_be_moved ? saga.open->amount : 0});
}

}  // namespace orderd::admin
