// orderctl route explain: where an order goes, and why, by the rules of the configuration.
#include "saga/routing/routes.h"

#include <iostream>

#include "admin/records.h"
#include "app/wiring.h"
#include "model/json.h"
#include "orderctl/given.h"

namespace orderd::ctl {
namespace {

/// "country=DE,tier=gold" as JSON.
std::string metadata_json(const std::string& text) {
  std::string out;
  json::Object object(out);
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(',', at), text.size());
    const std::string one = text.substr(at, end - at);
    const auto equals = one.find('=');
    if (equals == one.npos) throw UsageError("--metadata takes KEY=VALUE[,KEY=VALUE]");
    object.add(one.substr(0, equals).c_str(), one.substr(equals + 1));
    at = end + 1;
  }
  object.end();
  return out;
}

void expect_slot(Context& context, const std::string& slot) {
  const auto known = slots_of_sagas(context.settings(), default_definition(context.settings()));
  std::string all;
  for (const std::string& one : known) all += (all.empty() ? "" : ", ") + one;
  if (!known.contains(slot)) throw UsageError("no saga has a slot " + slot + "; there are " + all);
}

int explain(Context& context, const Words& words) {
  const Given given(words, {"--method", "--currency", "--amount", "--customer", "--metadata", "--broken"});
  if (given.words.empty() || given.words.size() > 2)
    throw UsageError("route explain needs a SLOT, and an ORDER_ID or an order's marks");
  const std::string& slot = given.words[0];
  expect_slot(context, slot);
  OrderBody body;
  Uuid id = Uuid::v7();
  std::string kept;
  if (given.words.size() == 2) {
    const auto parsed = Uuid::parse(given.words[1]);
    if (!parsed) throw UsageError(given.words[1] + " is no order's id");
    id = *parsed;
    const auto found = admin::records(context.connection(), {id});
    if (!found.contains(id)) throw std::runtime_error("there is no order " + given.words[1]);
    body = found.at(id).body;
    if (found.at(id).saga)
      kept = saga::instance_of(*found.at(id).saga, slot, instance_of(context.settings(), slot));
  }
  if (const auto text = given.option("--method")) body.payment_method = *text;
  if (const auto text = given.option("--currency")) body.currency = *text;
  if (const auto text = given.option("--customer")) body.customer_id = *text;
  if (const auto text = given.option("--amount")) body.total = number(*text, "--amount");
  if (const auto text = given.option("--metadata")) body.metadata_json = metadata_json(*text);
  std::set<std::string> broken;
  if (const auto text = given.option("--broken")) broken.insert(*text);
  const auto routes = saga::parse_routes(context.settings().routes);
  const auto rules = routes.find(slot);
  const std::string standard = instance_of(context.settings(), slot);
  store::Report report{{"rule", "says", "fits"}, {}};
  bool decided = false;
  for (const saga::Rule& rule : rules == routes.end() ? std::vector<saga::Rule>{} : rules->second) {
    const std::string why = saga::misfit(rule, id, body);
    report.rows.push_back({rule.key, rule.text,
                           !why.empty() ? "no: " + why
                           : decided    ? "yes, but later"
                                        : "yes"});
    decided |= why.empty();
  }
  report.rows.push_back({"slot." + slot, standard, decided ? "not reached" : "yes"});
  const std::string chosen =
      rules == routes.end() ? standard : saga::route(rules->second, standard, id, body, broken);
  report.rows.push_back({"=", chosen, "what a new order like this gets"});
  if (!kept.empty()) report.rows.push_back({"=", kept, "what this order was given when it began"});
  return context.print(report), 0;
}

}  // namespace

std::vector<Verb> route_verbs() {
  return {{"route explain",
           "SLOT [ORDER_ID] [--method M] [--currency C] [--amount N] [--customer ID] [--metadata K=V,...] "
           "[--broken INSTANCE]",
           "which instance serves an order, and which rule says so", explain}};
}

}  // namespace orderd::ctl
