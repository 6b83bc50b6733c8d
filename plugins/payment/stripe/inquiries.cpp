// What is asked and not done: the fate of a key, and the list of payments.
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <map>

#include <orderd/payment.h>

#include "payment_handler.h"

namespace stripe {

using orderd::sdk::Outcome;

namespace {

constexpr const char* page_size = "50";  // with charges and refunds that stays far below 1 MiB
constexpr std::size_t cursor_bytes_max = 255;

}  // namespace

void PaymentHandler::query(Command command, Reply&& reply) {
  const auto call = begin(std::move(command), std::move(reply));
  const std::string& action = call->command.query_action;
  if (action == ORDERD_PAYMENT_AUTHORIZE) return query_authorize(call);
  if (action != ORDERD_PAYMENT_CAPTURE && action != ORDERD_PAYMENT_VOID && action != ORDERD_PAYMENT_REFUND)
    return end(call, Outcome::unknown("UNSUPPORTED_QUERY", "no such action: " + action.substr(0, 64)));
  locate(
      call,
      [this, call](const std::string& id) {
        read(call, id, [this, call](const Intent& intent) { query_change(call, intent); });
      },
      [this, call] {
        if (!may_appear(call, call->command.query_key, config_.lookup_lag_ms))
          end(call, Outcome::not_found());
      });
}

void PaymentHandler::query_authorize(const Shared& call) {
  const auto told = [this, call](const Intent& intent) {
    end(call, Outcome::found(with(authorized(intent, {clock_.now_ms(), config_.action_limit_ms}), intent)));
  };
  const auto absent = [this, call] {
    if (!may_appear(call, call->command.query_key, config_.lookup_lag_ms)) end(call, Outcome::not_found());
  };
  const auto look = [this, call, told, absent] {
    search(
        call, call->command.query_key, [this, call, told](const std::string& id) { read(call, id, told); },
        absent);
  };
  const std::string id = known_intent(call->command);
  if (id.empty()) return look();
  read(call, id, [call, told, look](const Intent& intent) {
    intent.key == call->command.query_key ? told(intent) : look();  // else it is an earlier attempt's
  });
}

void PaymentHandler::query_change(const Shared& call, const Intent& intent) {
  const Command& c = call->command;
  // There is only one capture and one cancellation of a payment intent, and reading it is no search: what is
  // not there can only come from a call that is still under way.
  const bool capture = c.query_action == ORDERD_PAYMENT_CAPTURE;
  if (capture || c.query_action == ORDERD_PAYMENT_VOID) {
    const Outcome own = capture ? captured(intent, c.amount.amount) : voided(intent);
    const bool open = capture ? intent.status == "requires_capture" : own.kind != ORDERD_DONE;
    if (!open) return end(call, Outcome::found(with(own, intent)));
    if (!may_appear(call, c.query_key, 0)) end(call, with(Outcome::not_found(), intent));
    return;
  }
  for (const Refund& one : intent.refunds)
    if (one.key == c.query_key)
      return end(call, Outcome::found(with(refunded(one, clock_.now_ms()), intent)));
  if (!intent.all_refunds && intent.has_charge)
    return end(call, Outcome::unknown("TOO_MANY_REFUNDS", "the payment has more refunds than can be read"));
  if (!may_appear(call, c.query_key, config_.lookup_lag_ms)) end(call, with(Outcome::not_found(), intent));
}

void PaymentHandler::list_since(Command command, Reply&& reply) {
  const auto call = begin(std::move(command), std::move(reply));
  rapidjson::Document details;
  if (!parse_object(call->command.details_json, details))
    return end(call, Outcome::declined("INVALID_COMMAND", "the details are no JSON object"));
  const std::string cursor = text(details, "cursor");
  const std::int64_t since_ms = number(details, "sinceMs") - config_.list_lookback_ms;
  Form query{{"limit", page_size},
             {"created[gte]", std::to_string(std::max<std::int64_t>(since_ms / 1000, 0))},
             {"expand[0]", "data.latest_charge.refunds"}};
  if (!cursor.empty() && cursor.size() <= cursor_bytes_max) query.emplace_back("starting_after", cursor);
  api_.get("/v1/payment_intents", query, call->command.deadline_ms, [this, call](const Answer& answer) {
    answer.good() ? end(call, list_page(answer)) : fail(call, answer);
  });
}

/// Payments of others, who share the account, are left out. One order's two attempts are one payment.
Outcome PaymentHandler::list_page(const Answer& answer) const {
  const Json* data = array_at(answer.body, "data");
  if (!data) return Outcome::unknown("ANSWER_UNREADABLE", "Stripe's list makes no sense");
  std::map<std::string, std::pair<std::string, orderd_totals>> payments;  // by subject: reference, totals
  std::string last;
  for (const Json& one : data->GetArray()) {
    Intent intent;
    if (!read_intent(one, intent)) continue;
    last = intent.id;
    if (intent.subject.empty()) continue;
    const orderd_totals totals = totals_of(intent);
    auto& [reference, sum] = payments[intent.subject];
    if (reference.empty() || totals.authorized > 0) reference = intent.id;
    sum.authorized += totals.authorized;
    sum.captured += totals.captured;
    sum.refunded += totals.refunded;
    sum.voided += totals.voided;
  }
  rapidjson::StringBuffer buffer;
  rapidjson::Writer writer(buffer);
  const auto put = [&](const char* key, const std::string& value) {
    writer.Key(key);
    writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  writer.StartObject();
  writer.Key("payments");
  writer.StartArray();
  for (const auto& [subject, one] : payments) {
    writer.StartObject();
    put("subject", subject);
    put("reference", one.first);
    for (const auto& [key, value] :
         {std::pair("authorized", one.second.authorized), std::pair("captured", one.second.captured),
          std::pair("refunded", one.second.refunded), std::pair("voided", one.second.voided)}) {
      writer.Key(key);
      writer.Int64(value);
    }
    writer.EndObject();
  }
  writer.EndArray();
  if (flag(answer.body, "has_more") && !last.empty()) {
    put("cursor", last);
  } else {
    writer.Key("cursor");
    writer.Null();
  }
  writer.EndObject();
  Outcome page = Outcome::done();
  page.details_json.assign(buffer.GetString(), buffer.GetSize());
  return page;
}

}  // namespace stripe
