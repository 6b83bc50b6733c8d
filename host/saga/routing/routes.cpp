#include "saga/routing/routes.h"

#include <algorithm>
#include <charconv>

#include "model/json.h"

namespace orderd::saga {
namespace {

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

std::vector<std::string> parts_of(const std::string& text, const std::string& between) {
  std::vector<std::string> out;
  for (std::size_t at = 0;;) {
    const auto end = text.find(between, at);
    out.push_back(trimmed(std::string_view(text).substr(at, end == text.npos ? end : end - at)));
    if (end == text.npos) return out;
    at = end + between.size();
  }
}

bool is_text_field(const std::string& field) {
  return field == "method" || field == "currency" || field == "customer" ||
         (field.starts_with("metadata.") && field.size() > 9);
}

[[noreturn]] void expected(const std::string& key, const std::string& got, const std::string& what) {
  throw RouteError(key + ": \"" + got + "\": expected " + what);
}

Condition parse_condition(const std::string& key, const std::string& text) {
  constexpr const char* shape =
      "method, currency, customer or metadata.<key> = VALUE[|VALUE], amount with <, <=, >, >= and a number, "
      "or percent = 0 to 100";
  const auto at = text.find_first_of("<>=");
  if (at == text.npos) expected(key, text, shape);
  Condition out;
  out.field = trimmed(text.substr(0, at));
  const std::size_t length = text[at] != '=' && at + 1 < text.size() && text[at + 1] == '=' ? 2 : 1;
  const std::string sign = text.substr(at, length), value = trimmed(text.substr(at + length));
  if (is_text_field(out.field)) {
    if (sign != "=" || value.empty()) expected(key, text, shape);
    for (std::string& one : parts_of(value, "|")) out.values.insert(std::move(one));
    return out;
  }
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out.number);
  if (error != std::errc() || end != value.data() + value.size()) expected(key, text, shape);
  if (out.field == "percent" && sign == "=" && out.number >= 0 && out.number <= 100)
    return out.kind = Condition::Kind::percent, out;
  static const std::map<std::string, Condition::Kind> signs{{"<", Condition::Kind::less},
                                                            {"<=", Condition::Kind::at_most},
                                                            {">", Condition::Kind::more},
                                                            {">=", Condition::Kind::at_least}};
  const auto known = signs.find(sign);
  if (out.field != "amount" || known == signs.end()) expected(key, text, shape);
  return out.kind = known->second, out;
}

Rule parse_rule(const std::string& key, const std::string& text) {
  Rule rule{key, {}, {}, text};
  const auto when = text.find(" when ");
  rule.instances = parts_of(text.substr(0, when), ",");
  for (const std::string& one : rule.instances)
    if (one.empty() || one.find_first_of(" \t=<>|") != one.npos)
      expected(key, text, "INSTANCE[, INSTANCE] [when CONDITION [and CONDITION]]");
  if (when == text.npos) return rule;
  for (const std::string& one : parts_of(text.substr(when + 6), " and "))
    rule.when.push_back(parse_condition(key, one));
  return rule;
}

std::string metadata(const OrderBody& body, const std::string& name) {
  json::Document document;
  if (!json::parse(body.metadata_json, document) || !document.IsObject()) return "";
  return std::string(json::string(document, name.c_str()));
}

std::string value_of(const std::string& field, const OrderBody& body) {
  if (field == "method") return body.payment_method;
  if (field == "currency") return body.currency;
  if (field == "customer") return body.customer_id;
  return metadata(body, field.substr(9));
}

/// 0 to 99, evenly: the last bytes of a version 7 UUID are random (RFC 9562, section 5.7).
std::int64_t share_of(const Uuid& id) {
  std::uint32_t bits = 0;
  for (std::size_t i = 12; i < 16; ++i) bits = bits << 8 | id.bytes[i];
  return bits % 100;
}

bool fits(const Condition& condition, const Uuid& id, const OrderBody& body) {
  switch (condition.kind) {
    case Condition::Kind::one_of:
      return condition.values.contains(value_of(condition.field, body));
    case Condition::Kind::less:
      return body.total < condition.number;
    case Condition::Kind::at_most:
      return body.total <= condition.number;
    case Condition::Kind::more:
      return body.total > condition.number;
    case Condition::Kind::at_least:
      return body.total >= condition.number;
    case Condition::Kind::percent:
      return share_of(id) < condition.number;
  }
  return false;
}

}  // namespace

Routes parse_routes(const std::map<std::string, std::string>& settings) {
  std::map<std::pair<std::string, std::int64_t>, Rule> sorted;
  for (const auto& [name, text] : settings) {
    const std::string key = "route." + name;
    const auto dot = name.rfind('.');
    std::int64_t number = -1;
    const char* const end = name.data() + name.size();
    const bool numbered = dot != name.npos && dot > 0 &&
                          std::from_chars(name.data() + dot + 1, end, number).ptr == end && number >= 0;
    if (!numbered) throw RouteError(key + ": expected route.<slot>.<number>");
    const bool fresh = sorted.emplace(std::pair(name.substr(0, dot), number), parse_rule(key, text)).second;
    if (!fresh) throw RouteError(key + ": another rule of this slot has the same number");
  }
  Routes out;
  for (auto& [at, rule] : sorted) out[at.first].push_back(std::move(rule));
  return out;
}

std::string misfit(const Rule& rule, const Uuid& order_id, const OrderBody& body) {
  for (const Condition& one : rule.when) {
    if (fits(one, order_id, body)) continue;
    if (one.kind == Condition::Kind::percent)
      return "the order is not among the first " + std::to_string(one.number) + " percent";
    return one.field + " is " +
           (one.kind == Condition::Kind::one_of ? "\"" + value_of(one.field, body) + "\""
                                                : std::to_string(body.total));
  }
  return "";
}

std::string route(const std::vector<Rule>& rules, const std::string& standard, const Uuid& order_id,
                  const OrderBody& body, const std::set<std::string>& broken) {
  for (const Rule& rule : rules) {
    if (!misfit(rule, order_id, body).empty()) continue;
    const auto whole = std::find_if(rule.instances.begin(), rule.instances.end(),
                                    [&](const std::string& one) { return !broken.contains(one); });
    return whole == rule.instances.end() ? rule.instances.front() : *whole;
  }
  return standard;
}

}  // namespace orderd::saga
