#include "model/order_json.h"

#include "model/json.h"

namespace orderd {
namespace {

std::string items_json(const std::vector<Item>& items) {
  std::string out = "[";
  for (const Item& item : items) {
    if (out.size() > 1) out.push_back(',');
    json::Object object(out);
    object.add("lineId", item.line_id)
        .add("sku", item.sku)
        .add("quantity", item.quantity)
        .add("unitPrice", item.unit_price);
    object.end();
  }
  out.push_back(']');
  return out;
}

std::string adjustments_json(const std::vector<Adjustment>& adjustments) {
  std::string out = "[";
  for (const Adjustment& adjustment : adjustments) {
    if (out.size() > 1) out.push_back(',');
    json::Object object(out);
    object.add("kind", adjustment.kind).add("label", adjustment.label).add("amount", adjustment.amount);
    object.end();
  }
  out.push_back(']');
  return out;
}

/// The text of `members` inside a payload of version 1: from "customerId" to the end of "metadata".
std::string cut_members(std::string_view payload) {
  const auto from = payload.find("\"customerId\":");
  const auto to = payload.rfind(",\"payment\":");
  return from == payload.npos || to == payload.npos || to < from
             ? std::string()
             : std::string(payload.substr(from, to - from));
}

}  // namespace

PaymentView read_payment(const json::Value& value) {
  PaymentView payment;
  payment.method = json::string(value, "method");
  payment.status = parse_payment_status(json::string(value, "status")).value_or(PaymentStatus::none);
  payment.provider = json::string(value, "provider");
  payment.authorized = json::integer(value, "authorized");
  payment.captured = json::integer(value, "captured");
  payment.refunded = json::integer(value, "refunded");
  payment.settled = json::integer(value, "settled");
  if (const auto* action = json::child(value, "nextAction")) {
    payment.next_action_type = json::string(*action, "type");
    payment.next_action_url = json::string(*action, "url");
    payment.next_action_expires = parse_rfc3339(json::string(*action, "expiresAt"));
  }
  return payment;
}

std::string payment_json(const PaymentView& payment) {
  std::string action = "null";
  if (!payment.next_action_type.empty()) {
    action.clear();
    json::Object object(action);
    object.add("type", payment.next_action_type).add("url", payment.next_action_url);
    if (payment.next_action_expires) object.add("expiresAt", to_rfc3339(*payment.next_action_expires));
    object.end();
  }
  std::string out;
  json::Object object(out);
  object.add("method", payment.method).add("status", name(payment.status));
  if (payment.provider.empty())
    object.raw("provider", "null");
  else
    object.add("provider", payment.provider);
  object.add("authorized", payment.authorized)
      .add("captured", payment.captured)
      .add("refunded", payment.refunded);
  if (payment.settled != 0) object.add("settled", payment.settled);
  object.raw("nextAction", action).end();
  return out;
}

std::string reason_json(const std::optional<Reason>& reason) {
  if (!reason) return "null";
  std::string out;
  json::Object object(out);
  object.add("code", reason->code).add("message", reason->message).end();
  return out;
}

std::string body_members(const OrderBody& body) {
  std::string out;
  json::Object object(out);
  object.add("customerId", body.customer_id).add("currency", body.currency).add("totalAmount", body.total);
  object.raw("items", items_json(body.items)).raw("adjustments", adjustments_json(body.adjustments));
  object.raw("metadata", body.metadata_json);
  return out.substr(1);
}

std::string event_payload(const OrderHead& head, std::string_view members) {
  std::string out;
  out.reserve(400 + members.size());
  json::Object object(out);
  object.add("orderId", head.id.to_string()).add("version", head.version).add("type", name(head.type));
  object.add("schemaVersion", event_schema_version)
      .add("at", to_rfc3339(head.at))
      .add("status", name(head.status));
  object.add("paymentStatus", name(head.payment.status)).raw("reason", reason_json(head.reason));
  if (!members.empty()) out.append(",").append(members);
  object.raw("payment", payment_json(head.payment)).end();
  return out;
}

std::optional<OrderHead> read_head(const Event& event) {
  json::Document document;
  if (!json::parse(event.payload, document) || !document.IsObject()) return std::nullopt;
  const auto status = parse_status(json::string(document, "status"));
  const auto* payment = json::child(document, "payment");
  if (!status || !payment) return std::nullopt;
  OrderHead head{event.order_id, event.version, event.type, event.at, *status, {}, read_payment(*payment)};
  if (const auto* reason = json::child(document, "reason"))
    head.reason =
        Reason{std::string(json::string(*reason, "code")), std::string(json::string(*reason, "message"))};
  return head;
}

std::optional<OrderBody> read_body(std::string_view created_payload) {
  json::Document document;
  if (!json::parse(created_payload, document) || !document.IsObject()) return std::nullopt;
  const auto* items = json::child(document, "items");
  const auto* payment = json::child(document, "payment");
  if (!items || !items->IsArray() || !payment) return std::nullopt;
  OrderBody body;
  body.customer_id = json::string(document, "customerId");
  body.currency = json::string(document, "currency");
  body.total = json::integer(document, "totalAmount");
  body.payment_method = json::string(*payment, "method");
  for (const auto& item : items->GetArray())
    body.items.push_back({static_cast<std::uint32_t>(json::integer(item, "lineId")),
                          std::string(json::string(item, "sku")), json::integer(item, "quantity"),
                          json::integer(item, "unitPrice")});
  if (const auto* adjustments = json::child(document, "adjustments"))
    for (const auto& adjustment : adjustments->GetArray())
      body.adjustments.push_back({std::string(json::string(adjustment, "kind")),
                                  std::string(json::string(adjustment, "label")),
                                  json::integer(adjustment, "amount")});
  if (const auto* metadata = json::child(document, "metadata")) body.metadata_json = json::to_text(*metadata);
  return body;
}

std::string order_json(const OrderSnapshot& order, const std::vector<HistoryEntry>* history,
                       std::string_view tracking_token) {
  std::string out;
  out.reserve(700 + order.members.size());
  json::Object object(out);
  object.add("id", order.id.to_string()).add("status", name(order.status)).add("version", order.version);
  out.append(",").append(order.members);
  object.raw("payment", order.payment).raw("fulfilment", R"({"status":"NONE"})");
  object.raw("statusReason", order.reason).raw("attention", order.attention);
  object.add("createdAt", to_rfc3339(order.created)).add("updatedAt", to_rfc3339(order.updated));
  if (history) {
    std::string entries = "[";
    for (const HistoryEntry& entry : *history) {
      if (entries.size() > 1) entries.push_back(',');
      json::Object line(entries);
      line.add("version", entry.version).add("status", name(entry.status));
      line.add("paymentStatus", name(entry.payment_status))
          .add("at", to_rfc3339(entry.at))
          .raw("reason", entry.reason)
          .end();
    }
    entries.push_back(']');
    object.raw("history", entries);
  }
  if (!tracking_token.empty()) object.add("trackingToken", tracking_token);
  object.end();
  return out;
}

std::optional<FoldedOrder> fold_order(const std::vector<Event>& events) {
  if (events.empty()) return std::nullopt;
  FoldedOrder folded;
  for (const Event& event : events) {
    const auto head = read_head(event);
    if (!head) return std::nullopt;
    folded.history.push_back(
        {event.version, head->status, head->payment.status, event.at, reason_json(head->reason)});
    OrderSnapshot& order = folded.snapshot;
    if (event.version == 1) {
      order.id = event.order_id;
      order.members = cut_members(event.payload);
      order.created = event.at;
    }
    order.status = head->status;
    order.version = event.version;
    order.payment = payment_json(head->payment);
    if (head->reason) order.reason = folded.history.back().reason;
    order.updated = event.at;
  }
  return folded;
}

std::string stream_json(const Uuid& id, const HistoryEntry& entry) {
  std::string out;
  json::Object object(out);
  object.add("orderId", id.to_string()).add("status", name(entry.status)).add("version", entry.version);
  object.add("paymentStatus", name(entry.payment_status))
      .add("at", to_rfc3339(entry.at))
      .raw("reason", entry.reason)
      .end();
  return out;
}

}  // namespace orderd
