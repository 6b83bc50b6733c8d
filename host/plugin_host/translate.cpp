#include "plugin_host/translate.h"

#include <algorithm>
#include <charconv>

#include "base/utf8.h"
#include "model/json.h"

namespace orderd::plugins {
namespace {

constexpr std::size_t details_depth_max = 32;
constexpr std::int64_t retry_after_max_ms = std::int64_t{30} * 24 * 3600 * 1000;
constexpr std::int64_t unix_ms_max = 253402300799999;  // the end of the year 9999
/// Fields up to here were in the first release: a shorter struct is not one.
constexpr std::size_t outcome_size_min = sizeof(orderd_outcome);

/// One text of an outcome; `problem` is set if it cannot be taken.
std::string take_text(const char* field, orderd_view given, std::size_t bytes_max, std::string& problem) {
  if (given.size == 0) return "";
  if (!given.data) {
    problem = std::string(field) + " has a size and no data";
  } else if (given.size > bytes_max) {
    problem = std::string(field) + " has " + std::to_string(given.size) + " bytes, more than " +
              std::to_string(bytes_max);
  } else if (!is_utf8_text(to_text(given))) {
    problem = std::string(field) + " is not UTF-8 text";
  } else {
    return std::string(to_text(given));
  }
  return "";
}

std::string totals_problem(const orderd_totals& t) {
  if (t.refunded < 0 || t.refunded > t.captured || t.captured > t.authorized || t.voided < 0 ||
      t.voided > t.authorized)
    return "totals are impossible (authorized " + std::to_string(t.authorized) + ", captured " +
           std::to_string(t.captured) + ", refunded " + std::to_string(t.refunded) + ", voided " +
           std::to_string(t.voided) + ")";
  return "";
}

/// What is wrong with the numbers, or "".
std::string numbers_problem(const orderd_outcome& given, bool is_query) {
  if (given.kind < ORDERD_DONE || given.kind > ORDERD_UNKNOWN) return "kind is " + std::to_string(given.kind);
  if (given.query_answer < 0 || given.query_answer > ORDERD_NOT_FOUND_YET ||
      (!is_query && given.query_answer != 0))
    return "query_answer is " + std::to_string(given.query_answer);
  if (given.retry_after_ms < 0 || given.retry_after_ms > retry_after_max_ms)
    return "retry_after_ms is " + std::to_string(given.retry_after_ms);
  if (given.expires_ms < 0 || given.expires_ms > unix_ms_max)
    return "expires_ms is " + std::to_string(given.expires_ms);
  return (given.flags & ORDERD_OUTCOME_HAS_TOTALS) != 0 ? totals_problem(given.totals) : "";
}

/// Where a buyer's browser may be sent: it goes out in the public API. http: a provider's test server, or a
/// shop on loopback.
bool is_web_url(std::string_view url) {
  const std::size_t host = url.rfind("https://", 0) == 0 ? 8 : url.rfind("http://", 0) == 0 ? 7 : url.size();
  if (host >= url.size() || url[host] == '/' || url[host] == '?' || url[host] == '#') return false;
  return std::none_of(url.begin(), url.end(), [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == 0x7f || c == '"' || c == '\'';
  });
}

void take_state(const orderd_outcome& given, Outcome& outcome, std::string& problem) {
  if ((given.flags & ORDERD_OUTCOME_HAS_STATE) == 0) return;
  if (given.state.size > outcome_state_bytes_max || (given.state.size > 0 && !given.state.data))
    problem = "state has " + std::to_string(given.state.size) + " bytes";
  else
    outcome.state = StateBlob{given.state_version, std::string(to_text(given.state))};
}

void take_details(const orderd_outcome& given, Outcome& outcome, std::string& problem) {
  outcome.details_json = take_text("details_json", given.details_json, outcome_details_bytes_max, problem);
  if (outcome.details_json.empty()) return;
  json::Document document;
  json::Problem wrong;
  if (!json::parse_strict(outcome.details_json, details_depth_max, document, wrong))
    problem = "details_json is no JSON: " + wrong.message;
  else if (!document.IsObject())
    problem = "details_json is no object";
}

}  // namespace

bool is_utf8_text(std::string_view text) {
  return text.find('\0') == text.npos && is_utf8(text);
}

std::uint32_t generation_of(std::string_view key) {
  const auto at = key.rfind(".g");
  std::uint32_t generation = 0;
  if (at == std::string_view::npos) return 0;
  const auto [end, error] = std::from_chars(key.data() + at + 2, key.data() + key.size(), generation);
  return error == std::errc() && end == key.data() + key.size() ? generation : 0;
}

AbiCommands::AbiCommands(std::size_t expected) {
  commands_.reserve(expected);
  lines_.reserve(expected);
}

void AbiCommands::add(const Command& command, orderd_ticket ticket) {
  orderd_command& out = commands_.emplace_back();
  ORDERD_CLEAR(out);
  out.attempt = command.attempt;
  out.ticket = ticket;
  out.order_id = to_abi(command.order_id);
  out.action = to_view(command.action);
  out.key = to_view(command.key);
  out.subject = to_view(command.subject);
  out.query_key = to_view(command.query_key);
  out.query_action = to_view(command.query_action);
  out.generation = generation_of(command.key);
  out.state_version = command.state.version;
  out.state = to_view(command.state.bytes);
  out.deadline_ms = command.deadline.time_since_epoch().count();
  out.amount.amount = command.amount;
  command.currency.copy(out.amount.currency, sizeof out.amount.currency - 1);
  out.amount.exponent = command.exponent;
  out.totals = {command.totals.authorized, command.totals.captured, command.totals.refunded,
                command.totals.voided};
  for (const CommandLine& line : command.lines) {
    orderd_line& one = lines_.emplace_back();
    ORDERD_CLEAR(one);
    one.line_id = line.line_id;
    one.sku = to_view(line.sku);
    one.quantity = line.quantity;
    one.unit_price = line.unit_price;
  }
  out.line_count = command.lines.size();
  out.customer_id = to_view(command.customer_id);
  out.method = to_view(command.method);
  out.provider_reference = to_view(command.provider_reference);
  out.secret_json = to_view(command.secret_json);
  if (!command.details_json.empty())
    out.details_json = to_view(command.details_json);
  else if (!command.metadata_json.empty())
    out.details_json = to_view(details_.emplace_back("{\"metadata\":" + command.metadata_json + "}"));
  else
    out.details_json = to_view("{}");
  out.traceparent = to_view(command.traceparent);
}

const orderd_command* const* AbiCommands::data() {
  line_pointers_.clear();
  for (const orderd_line& line : lines_) line_pointers_.push_back(&line);
  pointers_.clear();
  const orderd_line* const* next_line = line_pointers_.data();
  for (orderd_command& command : commands_) {
    command.lines = command.line_count > 0 ? next_line : nullptr;
    next_line += command.line_count;
    pointers_.push_back(&command);
  }
  return pointers_.data();
}

bool read_outcome(const orderd_outcome* given, bool is_query, Outcome& outcome, std::string& problem) {
  problem.clear();
  if (!given || given->struct_size < outcome_size_min)
    problem = "the struct is missing or too short";
  else
    problem = numbers_problem(*given, is_query);
  if (problem.empty()) {
    outcome.kind = static_cast<OutcomeKind>(given->kind);
    outcome.query_answer = static_cast<QueryAnswer>(given->query_answer);
    outcome.hard = (given->flags & ORDERD_OUTCOME_SOFT) == 0;
    outcome.code = take_text("code", given->code, 64, problem);
    outcome.message = take_text("message", given->message, outcome_text_bytes_max, problem);
    outcome.retry_after = Millis(given->retry_after_ms);
    if (given->expires_ms != 0) outcome.expires = Time(Millis(given->expires_ms));
    NextAction next{take_text("next_action_type", given->next_action_type, 64, problem),
                    take_text("next_action_url", given->next_action_url, outcome_text_bytes_max, problem)};
    if (!next.url.empty() && !is_web_url(next.url)) problem = "next_action_url is no absolute https URL";
    if (!next.type.empty()) outcome.next_action = std::move(next);
    if ((given->flags & ORDERD_OUTCOME_HAS_TOTALS) != 0)
      outcome.totals = PaymentTotals{given->totals.authorized, given->totals.captured, given->totals.refunded,
                                     given->totals.voided};
    outcome.provider_reference = take_text("provider_reference", given->provider_reference, 255, problem);
    take_state(*given, outcome, problem);
    take_details(*given, outcome, problem);
  }
  if (problem.empty()) return true;
  outcome = Outcome{};
  outcome.code = "GARBAGE";
  outcome.message = "the plugin's outcome makes no sense: " + problem;
  return false;
}

}  // namespace orderd::plugins
