#pragma once
// The members of step.h's structs, for whoever writes and reads them (base/fields.h).
#include "base/fields.h"
#include "model/step.h"

namespace orderd {

template <class Visitor, FieldsOf<PaymentTotals> T>
void fields(Visitor& visit, T& totals) {
  visit("authorized", totals.authorized);
  visit("captured", totals.captured);
  visit("refunded", totals.refunded);
  visit("voided", totals.voided);
}

template <class Visitor, FieldsOf<StateBlob> T>
void fields(Visitor& visit, T& blob) {
  visit("version", blob.version);
  visit("bytes", blob.bytes);
}

template <class Visitor, FieldsOf<CommandLine> T>
void fields(Visitor& visit, T& line) {
  visit("lineId", line.line_id);
  visit("sku", line.sku);
  visit("quantity", line.quantity);
  visit("unitPrice", line.unit_price);
}

template <class Visitor, FieldsOf<Command> T>
void fields(Visitor& visit, T& command) {
  visit("key", command.key);
  visit("orderId", command.order_id);
  visit("subject", command.subject);
  visit("action", command.action);
  visit("queryKey", command.query_key);
  visit("queryAction", command.query_action);
  visit("attempt", command.attempt);
  visit("deadline", command.deadline);
  visit("amount", command.amount);
  visit("currency", command.currency);
  visit("exponent", command.exponent);
  visit("totals", command.totals);
  visit("lines", command.lines);
  visit("customerId", command.customer_id);
  visit("method", command.method);
  visit("providerReference", command.provider_reference);
  visit("state", command.state);
  visit("secretJson", command.secret_json);
  visit("metadataJson", command.metadata_json);
  visit("detailsJson", command.details_json);
  visit("traceparent", command.traceparent);
}

template <class Visitor, FieldsOf<NextAction> T>
void fields(Visitor& visit, T& action) {
  visit("type", action.type);
  visit("url", action.url);
}

template <class Visitor, FieldsOf<Outcome> T>
void fields(Visitor& visit, T& outcome) {
  visit("kind", outcome.kind);
  visit("queryAnswer", outcome.query_answer);
  visit("hard", outcome.hard);
  visit("code", outcome.code);
  visit("message", outcome.message);
  visit("retryAfter", outcome.retry_after);
  visit("nextAction", outcome.next_action);
  visit("expires", outcome.expires);
  visit("totals", outcome.totals);
  visit("providerReference", outcome.provider_reference);
  visit("state", outcome.state);
  visit("detailsJson", outcome.details_json);
}

}  // namespace orderd
