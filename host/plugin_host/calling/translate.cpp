#include "plugin_host/calling/translate.h"

#include <charconv>

namespace orderd::plugins {
namespace {

/// Fields up to here were in the first release: a shorter struct is not one.
constexpr std::size_t outcome_size_min = sizeof(orderd_outcome);

/// One text of an outcome; `problem` is set if there is none to copy.
std::string take(const char* field, orderd_view given, std::size_t bytes_max, std::string& problem) {
  if (given.size == 0) return "";
  if (!given.data)
    problem = std::string(field) + " has a size and no data";
  else if (given.size > bytes_max)
    problem = std::string(field) + " has " + std::to_string(given.size) + " bytes, more than " +
              std::to_string(bytes_max);
  else
    return std::string(to_text(given));
  return "";
}

Outcome copied(const orderd_outcome& given, std::string& problem) {
  Outcome outcome;
  outcome.kind = static_cast<OutcomeKind>(given.kind);
  outcome.query_answer = static_cast<QueryAnswer>(given.query_answer);
  outcome.hard = (given.flags & ORDERD_OUTCOME_SOFT) == 0;
  outcome.code = take("code", given.code, outcome_word_bytes_max, problem);
  outcome.message = take("message", given.message, outcome_text_bytes_max, problem);
  outcome.retry_after = Millis(given.retry_after_ms);
  if (given.expires_ms != 0) outcome.expires = Time(Millis(given.expires_ms));
  NextAction next{take("next_action_type", given.next_action_type, outcome_word_bytes_max, problem),
                  take("next_action_url", given.next_action_url, outcome_text_bytes_max, problem)};
  if (!next.type.empty() || !next.url.empty()) outcome.next_action = std::move(next);
  if ((given.flags & ORDERD_OUTCOME_HAS_TOTALS) != 0)
    outcome.totals = PaymentTotals{given.totals.authorized, given.totals.captured, given.totals.refunded,
                                   given.totals.voided};
  outcome.provider_reference =
      take("provider_reference", given.provider_reference, outcome_name_bytes_max, problem);
  if ((given.flags & ORDERD_OUTCOME_HAS_STATE) != 0)
    outcome.state =
        StateBlob{given.state_version, take("state", given.state, outcome_state_bytes_max, problem)};
  outcome.details_json = take("details_json", given.details_json, outcome_details_bytes_max, problem);
  return outcome;
}

}  // namespace

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
    outcome = copied(*given, problem);
  if (problem.empty()) problem = outcome_problem(outcome, is_query);
  if (!problem.empty()) return outcome = garbage(problem), false;
  if (outcome.next_action && outcome.next_action->type.empty()) outcome.next_action.reset();
  return true;
}

}  // namespace orderd::plugins
