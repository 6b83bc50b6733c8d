#include "intake/validate.h"

#include <array>
#include <limits>

#include "intake/card_number.h"
#include "intake/checker.h"
#include "model/json.h"
#include "model/money.h"

namespace orderd::intake {
namespace {

using Presence = Checker::Presence;
constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t int64_min = std::numeric_limits<std::int64_t>::min();

std::string_view view(const json::Value& text) { return {text.GetString(), text.GetStringLength()}; }

/// SKUs are the merchant's own numbers, and amounts are amounts.
bool may_look_like_a_card(const std::string& at, std::string_view name, const json::Value& value) {
  if (at.rfind("/items/", 0) == 0) return name == "sku" || value.IsNumber();
  return at.rfind("/adjustments/", 0) == 0 && value.IsNumber();
}

/// Looks for card numbers in every text, name and number of the document. A name that holds one is left out
/// of the pointer.
void find_card_numbers(const json::Value& value, const std::string& at, std::vector<FieldError>& found) {
  static constexpr const char* message = "holds a payment card number; send the provider's token instead";
  if (found.size() >= errors_max) return;
  if (value.IsString() ? holds_card_number(view(value))
                       : value.IsNumber() && holds_card_number(json::to_text(value)))
    return found.push_back({at, message});
  if (value.IsArray()) {
    for (rapidjson::SizeType i = 0; i < value.Size(); ++i)
      find_card_numbers(value[i], at + "/" + std::to_string(i), found);
  } else if (value.IsObject()) {
    for (const auto& member : value.GetObject()) {
      const std::string_view name = view(member.name);
      if (holds_card_number(name))
        found.push_back({at, "a field's name holds a payment card number"});
      else if (!may_look_like_a_card(at, name, member.value))
        find_card_numbers(member.value, at + pointer_step(name), found);
    }
  }
}

/// The parsed document, or why it is none.
std::vector<Item> read_items(Checker& check, const json::Value& order) {
  std::vector<Item> items;
  const json::Value* list = check.member(order, "", "items", Presence::required);
  if (!list) return items;
  if (!list->IsArray() || list->Empty() || list->Size() > items_max)
    return check.error("/items", "must be a list of 1 to " + std::to_string(items_max) + " lines"), items;
  for (rapidjson::SizeType i = 0; i < list->Size(); ++i) {
    const std::string at = "/items/" + std::to_string(i);
    const json::Value* line = check.object((*list)[i], at);
    if (!line) continue;
    check.known_only(*line, at, {"sku", "quantity", "unitPrice"});
    Item item;
    item.line_id = i + 1;
    item.sku = check.text(*line, at, "sku", Presence::required);
    item.quantity = check.integer(*line, at, "quantity", {1, quantity_max}).value_or(0);
    item.unit_price = check.integer(*line, at, "unitPrice", {0, unit_price_max}).value_or(0);
    items.push_back(std::move(item));
  }
  return items;
}

std::vector<Adjustment> read_adjustments(Checker& check, const json::Value& order) {
  std::vector<Adjustment> adjustments;
  const json::Value* list = check.member(order, "", "adjustments", Presence::optional);
  if (!list) return adjustments;
  if (!list->IsArray() || list->Size() > adjustments_max)
    return check.error("/adjustments", "must be a list of at most " + std::to_string(adjustments_max)),
           adjustments;
  for (rapidjson::SizeType i = 0; i < list->Size(); ++i) {
    const std::string at = "/adjustments/" + std::to_string(i);
    const json::Value* one = check.object((*list)[i], at);
    if (!one) continue;
    check.known_only(*one, at, {"kind", "label", "amount"});
    Adjustment adjustment;
    adjustment.kind = check.text(*one, at, "kind", Presence::required);
    adjustment.label = check.text(*one, at, "label", Presence::required);
    adjustment.amount = check.integer(*one, at, "amount", {int64_min, int64_max}).value_or(0);
    adjustments.push_back(std::move(adjustment));
  }
  return adjustments;
}

/// Σ quantity × unitPrice + Σ adjustments. 200 lines of 10⁶ × 10¹² leave int64, so every step is checked.
std::int64_t read_total(Checker& check, const OrderBody& body) {
  std::optional<std::int64_t> total = 0;
  for (const Item& item : body.items) {
    const auto line = checked_multiply(item.quantity, item.unit_price);
    total = line ? checked_add(*total, *line) : std::nullopt;
    if (!total) return check.error("/items", "the lines' total is above " + std::to_string(int64_max)), 0;
  }
  for (const Adjustment& adjustment : body.adjustments) {
    total = checked_add(*total, adjustment.amount);
    if (!total)
      return check.error("/adjustments", "the total leaves the range 0 to " + std::to_string(int64_max)), 0;
  }
  if (*total < 0)
    check.error("/adjustments", "the total is " + std::to_string(*total) + "; it must not be below 0");
  return *total;
}

bool is_web_address(std::string_view text) {
  return text.rfind("https://", 0) == 0 || text.rfind("http://", 0) == 0;
}

/// The members that are there, as a JSON object of texts; "" if `name` is absent or wrong.
std::string read_texts(Checker& check, const json::Value& order, const char* name,
                       std::initializer_list<std::string_view> fields) {
  const json::Value* value = check.member(order, "", name, Presence::optional);
  const std::string at = pointer_step(name);
  if (!value || !check.object(*value, at)) return {};
  check.known_only(*value, at, fields);
  std::string out;
  json::Object object(out);
  for (const std::string_view field : fields) {
    const std::string text = check.text(*value, at, std::string(field).c_str(), Presence::optional);
    if (!text.empty()) object.add(field, text);
  }
  object.end();
  return out;
}

std::string read_metadata(Checker& check, const json::Value& order) {
  const json::Value* value = check.member(order, "", "metadata", Presence::optional);
  if (!value || !check.object(*value, "/metadata")) return "{}";
  if (value->MemberCount() > metadata_keys_max)
    check.error("/metadata", "must have at most " + std::to_string(metadata_keys_max) + " keys, has " +
                                 std::to_string(value->MemberCount()));
  std::string text = json::to_text(*value);
  if (text.size() > metadata_bytes_max)
    check.error("/metadata", "must have at most " + std::to_string(metadata_bytes_max) +
                                 " bytes of JSON, has " + std::to_string(text.size()));
  return text;
}

/// Fills the draft's payment method, and its secrets from token, return address and buyer.
void read_payment(Checker& check, const json::Value& order, OrderDraft& draft) {
  const std::string buyer = read_texts(check, order, "buyer", {"email", "ip", "userAgent", "name", "phone"});
  const json::Value* payment = check.member(order, "", "payment", Presence::required);
  if (!payment || !check.object(*payment, "/payment")) return;
  check.known_only(*payment, "/payment", {"method", "token", "returnUrl"});
  draft.body.payment_method = check.text(*payment, "/payment", "method", Presence::required);
  const std::string token = check.text(*payment, "/payment", "token", Presence::required);
  const std::string return_url = check.text(*payment, "/payment", "returnUrl", Presence::optional);
  if (!return_url.empty() && !is_web_address(return_url))
    check.error("/payment/returnUrl", "must begin with https:// or http://");
  json::Object secret(draft.secret_json);
  secret.add("token", token);
  if (!return_url.empty()) secret.add("returnUrl", return_url);
  if (!buyer.empty()) secret.raw("buyer", buyer);
  secret.end();
}

std::string read_addresses(Checker& check, const json::Value& order) {
  std::string out;
  json::Object object(out);
  for (const char* name : {"shippingAddress", "billingAddress"}) {
    const std::string address =
        read_texts(check, order, name,
                   {"name", "company", "line1", "line2", "city", "postalCode", "state", "country", "phone"});
    if (!address.empty()) object.raw(name, address);
  }
  object.end();
  return out;
}

}  // namespace

std::optional<Invalid> parse_request(std::string_view text, json::Document& document) {
  json::Problem problem;
  if (!json::parse_strict(text, json_depth_max, document, problem, true))
    return Invalid{problem.inexact ? Invalid::Kind::invalid : Invalid::Kind::malformed,
                   {{problem.pointer, problem.message}}};
  std::vector<FieldError> cards;
  find_card_numbers(document, "", cards);
  if (!cards.empty()) return Invalid{Invalid::Kind::card_number, std::move(cards)};
  if (!document.IsObject()) return Invalid{Invalid::Kind::invalid, {{"", "must be an object"}}};
  return std::nullopt;
}

ValidatedOrder validate_order(std::string_view json_text) {
  json::Document order;
  if (auto invalid = parse_request(json_text, order)) return std::move(*invalid);
  Checker check;
  check.known_only(order, "",
                   {"customerId", "currency", "items", "adjustments", "payment", "buyer", "shippingAddress",
                    "billingAddress", "metadata"});
  OrderDraft draft;
  draft.body.customer_id = check.text(order, "", "customerId", Presence::required);
  draft.body.currency = check.text(order, "", "currency", Presence::required);
  if (!draft.body.currency.empty() && !currency_exponent(draft.body.currency))
    check.error("/currency", "must be a currency of ISO 4217 in capitals, such as EUR");
  draft.body.items = read_items(check, order);
  draft.body.adjustments = read_adjustments(check, order);
  draft.body.total = check.errors().empty() ? read_total(check, draft.body) : 0;
  read_payment(check, order, draft);
  draft.addresses_json = read_addresses(check, order);
  draft.body.metadata_json = read_metadata(check, order);
  if (!check.errors().empty()) return Invalid{Invalid::Kind::invalid, check.take()};
  return draft;
}

ValidatedCancel validate_cancel(std::string_view json_text) {
  if (json_text.empty()) return CancelBody{};
  json::Document body;
  if (auto invalid = parse_request(json_text, body)) return std::move(*invalid);
  Checker check;
  check.known_only(body, "", {"reason"});
  CancelBody cancel{check.text(body, "", "reason", Presence::optional)};
  if (!check.errors().empty()) return Invalid{Invalid::Kind::invalid, check.take()};
  return cancel;
}

}  // namespace orderd::intake
