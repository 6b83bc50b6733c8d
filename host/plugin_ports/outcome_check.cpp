#include "plugin_ports/outcome_check.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "model/json.h"

namespace orderd::plugins {
namespace {

constexpr std::size_t details_depth_max = 32;
constexpr Millis retry_after_max = std::chrono::days(30);
constexpr std::int64_t unix_ms_max = 253402300799999;  // the end of the year 9999
/// Several of them add up without an overflow.
constexpr std::int64_t amount_max = 1'000'000'000'000'000'000;

bool is_time(Time time) {
  const std::int64_t ms = time.time_since_epoch().count();
  return ms > 0 && ms <= unix_ms_max;
}

/// "" or why the text cannot be taken.
std::string line_problem(const char* field, std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max)
    return std::string(field) + " has " + std::to_string(text.size()) + " bytes, more than " +
           std::to_string(bytes_max);
  if (!is_utf8_text(text)) return std::string(field) + " is not UTF-8 text";
  return is_line(text) ? "" : std::string(field) + " has control characters";
}

std::string totals_problem(const PaymentTotals& t) {
  if (t.refunded < 0 || t.refunded > t.captured || t.captured > t.authorized || t.voided < 0 ||
      t.voided > t.authorized || t.authorized > amount_max)
    return "totals are impossible (authorized " + std::to_string(t.authorized) + ", captured " +
           std::to_string(t.captured) + ", refunded " + std::to_string(t.refunded) + ", voided " +
           std::to_string(t.voided) + ")";
  return "";
}

std::string numbers_problem(const Outcome& outcome, bool is_query) {
  if (outcome.kind < OutcomeKind::done || outcome.kind > OutcomeKind::unknown)
    return "kind is " + std::to_string(static_cast<std::int32_t>(outcome.kind));
  const auto answer = outcome.query_answer;
  if (answer < QueryAnswer::none || answer > QueryAnswer::not_found_yet ||
      (!is_query && answer != QueryAnswer::none))
    return "query_answer is " + std::to_string(static_cast<std::int32_t>(answer));
  if (outcome.retry_after < Millis(0) || outcome.retry_after > retry_after_max)
    return "retry_after_ms is " + std::to_string(outcome.retry_after.count());
  if (outcome.expires && !is_time(*outcome.expires))
    return "expires_ms is " + std::to_string(outcome.expires->time_since_epoch().count());
  return outcome.totals ? totals_problem(*outcome.totals) : "";
}

/// Where a buyer's browser may be sent: it goes out in the public API. http: a provider's test server, or a
/// shop on loopback.
bool is_web_url(std::string_view url) {
  const std::size_t host = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : url.size();
  if (host >= url.size() || url[host] == '/' || url[host] == '?' || url[host] == '#') return false;
  return std::none_of(url.begin(), url.end(), [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == 0x7f || c == '"' || c == '\'';
  });
}

std::string details_problem(const std::string& details) {
  if (details.empty()) return "";
  if (details.size() > outcome_details_bytes_max)
    return "details_json has " + std::to_string(details.size()) + " bytes, more than " +
           std::to_string(outcome_details_bytes_max);
  json::Document document;
  json::Problem wrong;
  if (!json::parse_strict(details, details_depth_max, document, wrong))
    return "details_json is no JSON: " + wrong.message;
  return document.IsObject() ? "" : "details_json is no object";
}

std::string texts_problem(const Outcome& outcome) {
  std::string problem = line_problem("code", outcome.code, outcome_word_bytes_max);
  const auto take = [&problem](std::string next) {
    if (problem.empty()) problem = std::move(next);
  };
  // Providers' words may have several lines.
  if (outcome.message.size() > outcome_text_bytes_max)
    take("message has more than " + std::to_string(outcome_text_bytes_max) + " bytes");
  if (!is_utf8_text(outcome.message)) take("message is not UTF-8 text");
  take(line_problem("provider_reference", outcome.provider_reference, outcome_name_bytes_max));
  if (outcome.next_action) {
    take(line_problem("next_action_type", outcome.next_action->type, outcome_word_bytes_max));
    take(line_problem("next_action_url", outcome.next_action->url, outcome_text_bytes_max));
    if (!outcome.next_action->url.empty() && !is_web_url(outcome.next_action->url))
      take("next_action_url is no absolute https URL");
  }
  if (outcome.state && outcome.state->bytes.size() > outcome_state_bytes_max)
    take("state has " + std::to_string(outcome.state->bytes.size()) + " bytes");
  return problem;
}

}  // namespace

std::string outcome_problem(const Outcome& outcome, bool is_query) {
  std::string problem = numbers_problem(outcome, is_query);
  if (problem.empty()) problem = texts_problem(outcome);
  return problem.empty() ? details_problem(outcome.details_json) : problem;
}

std::string event_problem(const WebhookEvent& event) {
  if (event.event_id.empty()) return "an event has no event_id of 1 to 255 bytes of text";
  for (const std::string* text :
       {&event.event_id, &event.type, &event.command_key, &event.subject, &event.provider_reference})
    if (const auto problem = line_problem("a text of an event", *text, outcome_name_bytes_max);
        !problem.empty())
      return problem;
  if (event.command_key.empty() && event.subject.empty() && event.provider_reference.empty())
    return "event " + event.event_id + " has neither command_key nor subject nor provider_reference";
  if (event.occurred && !is_time(*event.occurred))
    return "event " + event.event_id + ": occurred_ms is no time";
  return "";
}

std::string webhook_problem(const WebhookResult& result) {
  if (result.kind < WebhookResult::Kind::taken || result.kind > WebhookResult::Kind::failed)
    return "its result is of no known kind";
  if (result.events.size() > webhook_events_max)
    return "more than " + std::to_string(webhook_events_max) + " events";
  if (result.reply_status < 200 || result.reply_status > 299)
    return "its reply has status " + std::to_string(result.reply_status);
  if (result.reply_body.size() > webhook_reply_bytes_max) return "its reply is too long";
  return line_problem("the content type of its reply", result.reply_type, outcome_name_bytes_max);
}

Outcome garbage(const std::string& problem) {
  Outcome outcome;
  outcome.code = "GARBAGE";
  outcome.message = "the plugin's outcome makes no sense: " + problem;
  return outcome;
}

bool is_utf8_text(std::string_view text) { return text.find('\0') == text.npos && is_utf8(text); }

bool is_line(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return false;
    // U+0080 to U+009F: terminals act on them, too.
    if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) return false;
  }
  return is_utf8(text);
}

std::string one_line(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size() && out.size() + 4 <= outcome_text_bytes_max;) {
    const std::size_t size = utf8_size_at(text, i);
    const std::string_view one = text.substr(i, std::max<std::size_t>(size, 1));
    out += size == 0 ? std::string_view("\xef\xbf\xbd") : is_line(one) ? one : std::string_view(" ");
    i += one.size();
  }
  return out;
}

}  // namespace orderd::plugins
