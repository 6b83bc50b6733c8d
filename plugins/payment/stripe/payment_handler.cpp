#include "payment_handler.h"

#include <algorithm>

#include "currency.h"
#include "state_blob.h"

namespace stripe {

using orderd::sdk::Command;
using orderd::sdk::Outcome;

namespace {

constexpr std::size_t key_bytes_max = 255;       // Stripe's limit of an idempotency key
constexpr std::size_t metadata_bytes_max = 500;  // and of a metadata value
constexpr std::size_t token_bytes_max = 255;
constexpr std::size_t url_bytes_max = 2048;
constexpr std::int64_t ask_again_ms_max = 10'000;
constexpr std::int64_t complain_every_ms = 60'000;
constexpr std::int64_t deadline_ms_max = 3'600'000;  // a later one is no memory of ours
constexpr const char* intents = "/v1/payment_intents";
const std::pair<std::string, std::string> with_charge{"expand[0]", "latest_charge"};
const std::pair<std::string, std::string> with_refunds{"expand[0]", "latest_charge.refunds"};

/// Only what an id of Stripe's is made of may become part of a path.
bool is_id(std::string_view text, std::string_view prefix) {
  return text.size() <= metadata_bytes_max && text.substr(0, prefix.size()) == prefix &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
         });
}

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= 40 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

/// "" or why the command cannot be sent.
std::string problem_of(const Command& command) {
  if (command.key.empty() || command.key.size() > key_bytes_max) return "the key is empty or too long";
  if (command.subject.empty() || command.subject.size() > metadata_bytes_max)
    return "the subject is empty or too long";
  return "";
}

struct Buyer {
  std::string token, return_url;
};

Buyer read_buyer(const Command& command, const std::string& otherwise) {
  rapidjson::Document secret;
  if (!parse_object(command.secret_json, secret)) return {};
  Buyer buyer{text(secret, "token"), text(secret, "returnUrl")};
  if (buyer.return_url.empty()) buyer.return_url = otherwise;
  return buyer;
}

Outcome invalid(const std::string& why) { return Outcome::declined("INVALID_COMMAND", why); }

}  // namespace

std::string PaymentHandler::known_intent(const Command& command) {
  if (is_id(command.provider_reference, "pi_")) return command.provider_reference;
  const std::string kept = read_state(command.state).intent;
  return is_id(kept, "pi_") ? kept : "";
}

PaymentHandler::PaymentHandler(const orderd::sdk::Host& host, Config config)
    : host_(host),
      config_(std::move(config)),
      api_(host, config_),
      clock_(host),
      requests_(host, ORDERD_METRIC_COUNTER, "stripe_commands_total", "Commands that went to Stripe."),
      unknown_(host, ORDERD_METRIC_COUNTER, "stripe_unknown_total",
               "Commands whose outcome Stripe's answer left open.") {}

PaymentHandler::Shared PaymentHandler::begin(Command command, Reply&& reply) {
  requests_.add();
  return std::make_shared<Call>(Call{std::move(command), std::move(reply)});
}

void PaymentHandler::end(const Shared& call, Outcome outcome) {
  if (outcome.kind == ORDERD_UNKNOWN) unknown_.add();
  // It may arrive until its deadline. Before that no query may say that there is nothing: the host would send
  // the same key again, and Stripe would answer with the failure that it stored.
  if (outcome.kind == ORDERD_UNKNOWN && call->command.query_key.empty() && !outcome.state) {
    StateBlob blob = read_state(call->command.state);
    blob.missing = call->command.key;
    blob.missing_since_ms = call->command.deadline_ms;
    outcome.state = blob.state();
  }
  if (is_operators(outcome)) {
    const std::int64_t now = clock_.monotonic_ms();
    std::int64_t last = complained_ms_;
    if ((last == 0 || now - last > complain_every_ms) && complained_ms_.compare_exchange_strong(last, now))
      host_.log(ORDERD_LOG_ERROR, outcome.message, &call->command.order_id);
  }
  call->reply(outcome);
}

void PaymentHandler::fail(const Shared& call, const Answer& answer) { end(call, outcome_of_failure(answer)); }

void PaymentHandler::read(const Shared& call, const std::string& id, const Found& found) {
  const Form query{with_refunds};
  api_.get(intents + ("/" + id), query, call->command.deadline_ms, [this, call, found](const Answer& answer) {
    Intent intent;
    if (!answer.good()) {
      // A read has no effect: whatever went wrong, what it was for remains to be found out.
      Outcome failed = outcome_of_failure(answer);
      if (!is_operators(failed)) failed = Outcome::unknown(failed.code, failed.message);
      return end(call, std::move(failed));
    }
    if (!read_intent(answer.body, intent))
      return end(call, Outcome::unknown("ANSWER_UNREADABLE", "Stripe's answer is no payment intent"));
    found(intent);
  });
}

void PaymentHandler::locate(const Shared& call, const std::function<void(const std::string&)>& found,
                            const Then& absent) {
  const std::string id = known_intent(call->command);
  if (!id.empty()) return found(id);
  search(call, "", found, absent);
}

/// The search lags: what it does not know may be there all the same.
void PaymentHandler::search(const Shared& call, const std::string& key,
                            const std::function<void(const std::string&)>& found, const Then& absent) {
  std::string subject;
  for (const char c : call->command.subject) {
    if (c == '\'' || c == '\\') subject += '\\';
    subject += c;
  }
  const Form query{{"query", "metadata['" + std::string(subject_name) + "']:'" + subject + "'"},
                   {"limit", "20"}};
  const auto done = [this, call, key, found, absent](const Answer& answer) {
    const Json* data = answer.good() ? array_at(answer.body, "data") : nullptr;
    if (!data) {
      Outcome failed = answer.good() ? Outcome::unknown("ANSWER_UNREADABLE", "Stripe's search makes no sense")
                                     : outcome_of_failure(answer);
      if (failed.kind == ORDERD_DECLINED) failed = Outcome::unknown(failed.code, failed.message);
      return end(call, std::move(failed));
    }
    std::string id;
    for (const Json& one : data->GetArray()) {  // newest first; one with money goes before one without
      Intent intent;
      if (!read_intent(one, intent) || intent.subject != call->command.subject || !is_id(intent.id, "pi_"))
        continue;
      if (!key.empty() && intent.key != key) continue;
      const bool has_money = intent.status == "requires_capture" || intent.status == "succeeded";
      if (id.empty() || has_money) id = intent.id;
      if (has_money) break;
    }
    id.empty() ? absent() : found(id);
  };
  api_.get(intents + std::string("/search"), query, call->command.deadline_ms, done);
}

bool PaymentHandler::may_appear(const Shared& call, const std::string& what, std::int64_t lag_ms) {
  StateBlob blob = read_state(call->command.state);
  const std::int64_t now = clock_.now_ms();
  if (blob.missing != what || blob.missing_since_ms > now + deadline_ms_max) {
    blob.missing = what;
    blob.missing_since_ms = now;
  }
  const std::int64_t left = blob.missing_since_ms + lag_ms - now;
  if (left <= 0) return false;
  const std::int64_t wait = std::min(left, ask_again_ms_max);
  Outcome outcome =
      call->command.query_key.empty()
          ? Outcome::retry(wait, "NOT_FOUND_YET", "Stripe's search may not know the payment yet")
          : Outcome::not_found_yet(wait);
  outcome.state = blob.state();
  end(call, std::move(outcome));
  return true;
}

void PaymentHandler::authorize(Command command, Reply&& reply) {
  const auto call = begin(std::move(command), std::move(reply));
  const Command& c = call->command;
  if (const auto problem = problem_of(c); !problem.empty()) return end(call, invalid(problem));
  const Amount amount = to_stripe(c.amount);
  if (!amount.problem.empty()) return end(call, Outcome::declined("AMOUNT_NOT_SUPPORTED", amount.problem));
  const Buyer buyer = read_buyer(c, config_.return_url);
  if (buyer.token.empty() || buyer.token.size() > token_bytes_max)
    return end(call, Outcome::declined("INVALID_TOKEN", "the order brings no payment method of Stripe's"));
  if (!is_word(c.method))
    return end(call, Outcome::declined("METHOD_NOT_SUPPORTED", "no payment method type of Stripe's"));
  if (buyer.return_url.size() > url_bytes_max) return end(call, invalid("the return URL is too long"));
  Form form{{"amount", std::to_string(amount.units)},
            {"currency", c.amount.currency},
            {"capture_method", "manual"},
            {"confirm", "true"},
            {"payment_method", buyer.token},
            {"payment_method_types[0]", c.method},
            {std::string("metadata[") + subject_name + "]", c.subject},
            {std::string("metadata[") + key_name + "]", c.key},
            with_charge};
  for (char& letter : form[1].second) letter = static_cast<char>(letter | 0x20);
  // Without a page to come back to nobody can be asked, and Stripe shall say so at once.
  buyer.return_url.empty() ? form.emplace_back("error_on_requires_action", "true")
                           : form.emplace_back("return_url", buyer.return_url);
  const auto send = [this, call, form] {
    api_.post(intents, form, call->command.key, call->command.deadline_ms,
              [this, call](const Answer& answer) { authorize_answered(call, answer); });
  };
  const std::string known = known_intent(c);
  if (known.empty() || c.totals.authorized == 0) return send();
  // Stripe would make a second payment intent beside the one that holds money.
  read(call, known, [this, call](const Intent& intent) {
    if (intent.key == call->command.key)
      return end(call, with(authorized(intent, {clock_.now_ms(), config_.action_limit_ms}), intent));
    end(call, with(Outcome::declined("ALREADY_AUTHORIZED", "one authorization a payment"), intent));
  });
}

void PaymentHandler::authorize_answered(const Shared& call, const Answer& answer) {
  Intent intent;
  const auto told = [this, call](const Intent& now) {
    end(call, with(authorized(now, {clock_.now_ms(), config_.action_limit_ms}), now));
  };
  if (answer.good()) {
    if (!read_intent(answer.body, intent))
      return end(call, Outcome::unknown("ANSWER_UNREADABLE", "Stripe's answer is no payment intent"));
    return answer.replayed ? read(call, intent.id, told) : told(intent);  // a stored answer is of long ago
  }
  Outcome outcome = outcome_of_failure(answer);
  const Json* error = answer.body.IsObject() ? object_at(answer.body, "error") : nullptr;
  const Json* of = error ? object_at(*error, "payment_intent") : nullptr;
  if (of && outcome.kind == ORDERD_DECLINED && read_intent(*of, intent))
    outcome = with(std::move(outcome), intent);
  else if (outcome.kind == ORDERD_DECLINED)
    outcome.totals = orderd_totals{};
  end(call, std::move(outcome));
}

void PaymentHandler::change(const Shared& call, const std::string& id, const char* verb, Form form,
                            const std::function<Outcome(const Intent&)>& judge) {
  form.push_back(with_charge);
  const auto told = [this, call, judge](const Intent& now) { end(call, with(judge(now), now)); };
  const auto done = [this, call, id, told, judge](const Answer& answer) {
    Intent intent;
    if (answer.good() && !answer.replayed && read_intent(answer.body, intent)) return told(intent);
    if (answer.good()) return read(call, id, told);  // a stored answer: as it was then
    const Outcome refused = outcome_of_failure(answer);
    if (refused.kind != ORDERD_DECLINED) return fail(call, answer);
    // Perhaps because it is as it should be already.
    read(call, id, [this, call, judge, refused](const Intent& now) {
      const Outcome judged = judge(now);
      const bool says_more =
          refused.code != "PAYMENT_INTENT_UNEXPECTED_STATE" && judged.kind == ORDERD_DECLINED;
      end(call, with(says_more ? refused : judged, now));
    });
  };
  api_.post(intents + ("/" + id + "/" + verb), form, call->command.key, call->command.deadline_ms, done);
}

void PaymentHandler::capture(Command command, Reply&& reply) {
  const auto call = begin(std::move(command), std::move(reply));
  if (const auto problem = problem_of(call->command); !problem.empty()) return end(call, invalid(problem));
  const Amount amount = to_stripe(call->command.amount);
  if (!amount.problem.empty()) return end(call, Outcome::declined("AMOUNT_NOT_SUPPORTED", amount.problem));
  const auto send = [this, call, amount](const std::string& id) {
    const std::int64_t wanted = call->command.amount.amount;
    change(call, id, "capture",
           {{"amount_to_capture", std::to_string(amount.units)},
            {std::string("metadata[") + capture_key_name + "]", call->command.key}},
           [wanted](const Intent& intent) { return captured(intent, wanted); });
  };
  locate(call, send, [this, call] {
    if (!may_appear(call, "capture", config_.lookup_lag_ms))
      end(call, Outcome::declined("NO_PAYMENT", "Stripe has no such payment"));
  });
}

void PaymentHandler::void_authorization(Command command, Reply&& reply) {
  const auto call = begin(std::move(command), std::move(reply));
  if (const auto problem = problem_of(call->command); !problem.empty()) return end(call, invalid(problem));
  locate(
      call, [this, call](const std::string& id) { change(call, id, "cancel", {}, voided); },
      [this, call] {
        if (may_appear(call, "void", config_.lookup_lag_ms)) return;
        Outcome nothing = Outcome::done();
        nothing.totals = orderd_totals{};
        end(call, std::move(nothing));
      });
}

void PaymentHandler::refund(Command command, Reply&& reply) {
  const auto call = begin(std::move(command), std::move(reply));
  if (const auto problem = problem_of(call->command); !problem.empty()) return end(call, invalid(problem));
  locate(
      call, [this, call](const std::string& id) { send_refund(call, id); },
      [this, call] {
        if (!may_appear(call, "refund", config_.lookup_lag_ms))
          end(call, Outcome::declined("NO_PAYMENT", "Stripe has no such payment"));
      });
}

void PaymentHandler::send_refund(const Shared& call, const std::string& id) {
  const Command& c = call->command;
  const Amount amount = to_stripe(c.amount);
  if (!amount.problem.empty()) return end(call, Outcome::declined("AMOUNT_NOT_SUPPORTED", amount.problem));
  // What a webhook of its failure, long after, has to tell.
  const Form form{{"payment_intent", id},
                  {"amount", std::to_string(amount.units)},
                  {std::string("metadata[") + subject_name + "]", c.subject},
                  {std::string("metadata[") + key_name + "]", c.key},
                  {"metadata[orderd_authorized]", std::to_string(c.totals.authorized)},
                  {"metadata[orderd_captured]", std::to_string(c.totals.captured)},
                  {"metadata[orderd_refunded]", std::to_string(c.totals.refunded)},
                  {"metadata[orderd_voided]", std::to_string(c.totals.voided)}};
  api_.post("/v1/refunds", form, c.key, c.deadline_ms,
            [this, call, id](const Answer& answer) { refund_sent(call, id, answer); });
}

/// The answer is a refund; the totals are the payment intent's.
void PaymentHandler::refund_sent(const Shared& call, const std::string& id, const Answer& answer) {
  const Outcome failed = answer.good() ? Outcome::done() : outcome_of_failure(answer);
  if (!answer.good() && failed.kind != ORDERD_DECLINED) return fail(call, answer);
  const Refund sent = answer.good() ? read_refund(answer.body) : Refund();
  read(call, id, [this, call, failed, sent](const Intent& intent) {
    if (failed.kind == ORDERD_DECLINED) return end(call, with(failed, intent));
    Refund now = sent;
    for (const Refund& one : intent.refunds)
      if (one.id == sent.id) now = one;  // a stored answer is of long ago
    end(call, with(refunded(now, clock_.now_ms()), intent));
  });
}

}  // namespace stripe
