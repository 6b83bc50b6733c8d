#include "admin/order_view.h"

#include "admin/switches.h"
#include "model/order_json.h"
#include "outbox/log.h"

namespace orderd::admin {
namespace {

constexpr store::Statement read_dead_letter{"explain_dead_letter",
                                            "select (select reason from parked where order_id = $1 and "
                                            "consumer like 'saga%' and from_version > 0 order by id "
                                            "limit 1), (select reason from parked where order_id = $1 and "
                                            "consumer like 'relay%' order by id limit 1)"};
constexpr store::Statement read_audit{
    "audit_of_order",
    "select at, actor, verb, coalesce(reason, ''), data from audit_log where subject = $1 "
    "order by id desc limit 500"};

/// Why the open step's calls do not go out; "" if they do, or if there is none.
std::string held_back_of(store::Connection& connection, const Record& record, const Slots& slots) {
  if (!record.live || !record.saga->open || record.saga->stuck) return "";
  const auto& open = *record.saga->open;
  const auto& step = record.definition->steps.at(static_cast<std::size_t>(open.step));
  const std::string instance = instance_of(record, step.slot, slots);
  return instance.empty() ? "" : held_back(connection, instance, open.action);
}

}  // namespace

std::optional<OrderView> view_order(store::Connection& connection, const Uuid& id, const Slots& slots) {
  auto found = records(connection, {id});
  OrderView view;
  for (auto& entry : outbox::history(connection, id)) view.past.events.push_back(std::move(entry.event));
  if (found.empty() || view.past.events.empty()) return std::nullopt;
  const auto head = read_head(view.past.events.back());
  if (!head) return std::nullopt;
  view.record = std::move(found.at(id));
  view.situation = {*head, held_back_of(connection, view.record, slots), {}};
  const auto letter = connection.run(read_dead_letter, store::Args().uuid(id));
  if (!letter.is_null(0, 0)) view.situation.dead_letter = letter.bytes(0, 0);
  if (!letter.is_null(0, 1)) view.situation.unpublished = letter.bytes(0, 1);
  const auto rows = connection.run(read_audit, store::Args().text(id.to_string()));
  for (int i = rows.size(); i-- > 0;)
    view.past.audit.push_back({rows.time(i, 0), std::string(rows.bytes(i, 1)), std::string(rows.bytes(i, 2)),
                               std::string(rows.bytes(i, 3)), std::string(rows.jsonb(i, 4))});
  return view;
}

std::string explanation_json(const Uuid& id, const OrderView& view, const Explanation& told, Time now) {
  std::string body;
  json::Object object(body);
  object.add("orderId", id.to_string()).add("explanation", told.text);
  object.add("status", name(view.situation.head.status));
  view.record.saga ? object.add("state", name(state_of(*view.record.saga, now)))
                   : object.raw("state", "null");
  told.next_at ? object.add("nextAt", to_rfc3339(*told.next_at)) : object.raw("nextAt", "null");
  object.end();
  return body;
}

}  // namespace orderd::admin
