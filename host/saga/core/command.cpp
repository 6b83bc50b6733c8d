#include <algorithm>

#include "model/money.h"
#include "saga/core/decide.h"
#include "saga/core/payment.h"

namespace orderd::saga {

Saga fresh_saga(const Uuid& order_id, std::int16_t shard, const Facts& facts, Time placed) {
  Saga saga;
  saga.order_id = order_id;
  saga.shard = shard;
  saga.definition = facts.definition.digest;
  saga.updated = placed;
  saga.steps.assign(facts.definition.steps.size(), StepResult::none);
  saga.payment.method = facts.body.payment_method;
  saga.payment.status = saga.published_payment_status =
      facts.body.total == 0 ? PaymentStatus::not_required : PaymentStatus::none;
  return saga;
}

void mark_sent(const Facts& facts, Saga& saga, Time now) {
  OpenCommand& open = *saga.open;
  open.phase = CommandPhase::sent;
  open.sent = now;
  open.next = {};
  if (open.query) return;
  open.deadline = now + facts.definition.steps[static_cast<std::size_t>(open.step)].timeout;
  if (open.key_sent == Time{}) open.key_sent = now;
  ++open.sends;
}

void tell_payment(Decision& decision, Time now) {
  Saga& saga = decision.saga;
  if (saga.payment.status == saga.published_payment_status) return;
  saga.updated = std::max(now, saga.updated);
  ++saga.version;
  saga.published_payment_status = saga.payment.status;
  decision.events.push_back({saga.order_id, saga.version, EventType::payment_updated, saga.updated,
                             saga.status, saga.reason, shown(saga)});
}

Command make_command(const Facts& facts, const Saga& saga) {
  const OpenCommand& open = *saga.open;
  const StepDefinition& step = facts.definition.steps[static_cast<std::size_t>(open.step)];
  Command command;
  command.order_id = saga.order_id;
  command.subject = saga.order_id.to_string();
  if (open.query) {
    command.key = query_key(saga, open);
    command.action = step.slot + ".query";
    command.query_key = command_key(saga, open);
    command.query_action = open.action;
  } else {
    command.key = command_key(saga, open);
    command.action = open.action;
  }
  command.attempt = open.attempt;
  command.amount = open.amount;
  command.currency = facts.body.currency;
  command.exponent = currency_exponent(facts.body.currency).value_or(2);
  command.totals = {saga.payment.authorized, saga.payment.captured, saga.payment.refunded, saga.voided};
  for (const Item& item : facts.body.items)
    command.lines.push_back({item.line_id, item.sku, item.quantity, item.unit_price});
  command.customer_id = facts.body.customer_id;
  command.method = facts.body.payment_method;
  command.provider_reference = saga.reference;
  if (const auto blob = saga.blobs.find(step.slot); blob != saga.blobs.end()) command.state = blob->second;
  command.metadata_json = facts.body.metadata_json;
  return command;
}

bool is_transactional(const Facts& facts, const Saga& saga) {
  return facts.slots.at(facts.definition.steps[static_cast<std::size_t>(saga.open->step)].slot).transactional;
}

}  // namespace orderd::saga
