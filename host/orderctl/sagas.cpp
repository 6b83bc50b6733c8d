// orderctl sagas: what needs a person, one order with all that happened to it, and what a person decides.
// Straight on the database, as a host does it for the API: so it works while no host answers.
#include <iostream>

#include "admin/order_view.h"
#include "admin/saga_list.h"
#include "app/wiring.h"
#include "model/json.h"
#include "orderctl/given.h"

namespace orderd::ctl {
namespace {

constexpr int page = 100;
constexpr std::int64_t seconds_max = 3'000'000'000;  // a century

/// Which instance serves each slot, without loading any.
admin::Slots named_slots(Context& context) {
  admin::Slots slots;
  for (const auto& step : default_definition(context.settings()).steps)
    slots[step.slot].instance = instance_of(context.settings(), step.slot);
  for (const auto& [slot, instance] : context.settings().slots) slots[slot].instance = instance;
  return slots;
}

Uuid order_id(const Given& given) {
  if (given.words.size() != 1) throw UsageError("exactly one ORDER_ID is needed");
  const auto id = Uuid::parse(given.words[0]);
  if (!id) throw UsageError(given.words[0] + " is no order's id");
  return *id;
}

std::string text_of(const json::Value& value) {
  if (value.IsNull()) return "";
  return value.IsString() ? value.GetString() : json::to_text(value);
}

/// The members `columns` of a JSON object as an object.
std::string part_of(const std::string& object, const std::vector<std::string>& columns) {
  json::Document document;
  std::string out;
  json::Object part(out);
  const bool good = json::parse(object, document);
  for (const std::string& column : columns)
    part.raw(column,
             good && document.HasMember(column.c_str()) ? json::to_text(document[column.c_str()]) : "null");
  part.end();
  return out;
}

/// The members `columns` of a JSON object as a row; of a reason, its code.
std::vector<std::string> row_of(const std::string& object, const std::vector<std::string>& columns) {
  json::Document document;
  std::vector<std::string> row;
  if (!json::parse(object, document)) return row;
  for (const std::string& column : columns) {
    const auto found = document.FindMember(column.c_str());
    if (found == document.MemberEnd())
      row.emplace_back();
    else
      row.push_back(found->value.IsObject() && found->value.HasMember("code") ? text_of(found->value["code"])
                                                                              : text_of(found->value));
  }
  return row;
}

admin::SagaFilter filter_of(const Given& given) {
  admin::SagaFilter filter;
  if (const auto state = given.option("--state")) {
    filter.state = admin::parse_state(*state);
    if (!filter.state || filter.state == admin::State::finished)
      throw UsageError("--state is RUNNING, WAITING, PARKED, PENDING, UNKNOWN or STUCK, not " + *state);
  }
  filter.step = given.option("--step");
  filter.attention = given.flag("--attention");
  if (const auto age = given.option("--older-than")) {
    const std::int64_t seconds = number(*age, "--older-than");
    if (seconds < 0 || seconds > seconds_max)
      throw UsageError("--older-than is a number of seconds, not " + *age);
    filter.placed_before = now() - Millis(1000 * seconds);
  }
  filter.plugin = given.option("--plugin");
  return filter;
}

int list(Context& context, const Words& words) {
  const Given given(words, {"--state", "--step", "--plugin", "--older-than"}, {"--attention"});
  if (!given.words.empty()) throw UsageError("\"" + given.words[0] + "\" is too much here");
  const auto slots = named_slots(context);
  const auto filter = filter_of(given);
  store::Report report{{"orderId", "state", "status", "action", "attempt", "nextAt", "moneyAtRisk",
                        "currency", "stuck", "attention"},
                       {}};
  std::string after, array;
  do {
    const auto found = admin::list_sagas(context.connection(), filter, slots, after, page);
    const auto records = admin::records(context.connection(), found->order_ids);
    for (const Uuid& id : found->order_ids)
      if (const auto record = records.find(id); record != records.end()) {
        const std::string summary = admin::summary_json(id, record->second, slots, now());
        if (context.json())
          array.append(array.empty() ? "" : ",\n").append(part_of(summary, report.columns));
        else
          report.rows.push_back(row_of(summary, report.columns));
      }
    after = found->next;
  } while (!after.empty());
  if (context.json()) return std::cout << "[" << array << "]\n", 0;
  return context.print(report), 0;
}

std::optional<admin::OrderView> view(Context& context, const Uuid& id, const admin::Slots& slots) {
  auto found = admin::view_order(context.connection(), id, slots);
  if (!found) std::cerr << "orderctl: there is no order " << id.to_string() << "\n";
  return found;
}

int show(Context& context, const Words& words) {
  const Uuid id = order_id(Given(words, {}));
  const auto slots = named_slots(context);
  const auto found = view(context, id, slots);
  if (!found) return 1;
  const std::string detail = admin::detail_json(id, found->record, found->past, slots, now());
  if (context.json()) return std::cout << detail << "\n", 0;
  json::Document document;
  if (!json::parse(detail, document)) return 1;
  for (const auto& member : document.GetObject())
    if (!member.value.IsArray() && !member.value.IsNull())
      std::cout << member.name.GetString() << ": " << text_of(member.value) << "\n";
  std::cout << "\n";
  store::Report timeline{{"at", "kind", "action", "type", "verb", "outcome", "code", "message", "tookMs",
                          "digest", "commandKey", "by"},
                         {},
                         {"tookMs"}};
  for (const auto& entry : document["timeline"].GetArray())
    timeline.rows.push_back(row_of(json::to_text(entry), timeline.columns));
  return context.print(timeline), 0;
}

int explain(Context& context, const Words& words) {
  const Uuid id = order_id(Given(words, {}));
  const auto slots = named_slots(context);
  const auto found = view(context, id, slots);
  if (!found) return 1;
  const auto told = admin::explain(found->record, found->situation, slots, now());
  std::cout << (context.json() ? admin::explanation_json(id, *found, told, now()) : told.text) << "\n";
  return 0;
}

/// What a verb would do, on the terminal.
void foretell(Context& context, const admin::Foresight& foresight) {
  store::Report report{{"action", "plugin", "amount", "when", "key"}, {}};
  for (const admin::Effect& one : foresight.effects)
    report.rows.push_back({one.action, one.instance, std::to_string(one.amount),
                           one.at_once ? "at once" : "if those before succeed", one.key});
  if (report.rows.empty())
    std::cout << "nothing is sent to any plugin";
  else
    context.print(report);
  std::cout << (report.rows.empty() ? "; then the order " : "then the order ")
            << (foresight.stuck ? "is stuck, at " : "is ") << name(foresight.status) << "\n";
}

int give(Context& context, const Words& words, saga::Verb::Kind kind) {
  const bool done = kind == saga::Verb::Kind::done;
  const Given given = done ? Given(words, {"--reason", "--reference", "--amount"}, {"--dry-run"})
                           : Given(words, {"--reason"}, {"--dry-run"});
  admin::Request request;
  request.order_ids = {order_id(given)};
  request.dry_run = given.flag("--dry-run");
  request.may_move_money = true;  // whoever may open the database may do all
  request.verb.kind = kind;
  request.verb.reason = given.reason();
  request.verb.actor = actor();
  if (done) request.verb.reference = given.option("--reference").value_or("");
  if (done && given.option("--amount")) request.verb.amount = number(*given.option("--amount"), "--amount");
  admin::Slots slots = named_slots(context);
  if (request.dry_run)
    slots = saga::PluginBindings(
                saga_slots(context.settings(), context.registry(), default_definition(context.settings())))
                .infos;
  const auto judged = admin::give(context.connection(), request, slots).front();
  const bool accepted = judged.kind == admin::Judged::Kind::accepted;
  if (context.json()) {
    std::cout << admin::judged_json(judged, kind, request.dry_run) << "\n";
  } else if (!accepted) {
    std::cerr << "orderctl: " << judged.problem << "\n";
  } else if (request.dry_run) {
    foretell(context, *judged.foresight);
  } else {
    std::cout << "accepted: the host that owns the order takes it within moments\n";
  }
  return accepted ? 0 : 1;
}

template <saga::Verb::Kind kind>
int give(Context& context, const Words& words) {
  return give(context, words, kind);
}

}  // namespace

std::vector<Verb> saga_verbs() {
  using Kind = saga::Verb::Kind;
  return {
      {"sagas list", "[--state STATE] [--step NAME] [--plugin INSTANCE] [--older-than SECONDS] [--attention]",
       "sagas that are not at their end; STUCK and --attention: most money at risk first", list},
      {"sagas show", "ORDER_ID", "one order's saga, with its whole timeline", show},
      {"sagas explain", "ORDER_ID", "why an order is where it is, what is next, and when", explain},
      {"sagas retry", "ORDER_ID --reason TEXT [--dry-run]", "tries the open step again", give<Kind::retry>},
      {"sagas mark-done", "ORDER_ID --reason TEXT [--reference REFERENCE --amount AMOUNT] [--dry-run]",
       "the step's effect is there, as somebody has seen; a payment's needs reference and amount",
       give<Kind::done>},
      {"sagas skip", "ORDER_ID --reason TEXT [--dry-run]", "goes on without the step's effect",
       give<Kind::skip>},
      {"sagas acknowledge", "ORDER_ID --reason TEXT", "the order no longer asks for attention",
       give<Kind::acknowledge>},
  };
}

}  // namespace orderd::ctl
