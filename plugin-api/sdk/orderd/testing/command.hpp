// A command to give to a plugin under test.
#ifndef ORDERD_TESTING_COMMAND_HPP
#define ORDERD_TESTING_COMMAND_HPP

#include <orderd/command.h>

#include <deque>
#include <string>
#include <vector>

#include <orderd/command.hpp>
#include "later.hpp"

namespace orderd::testing {

/// Fields as command.h describes them. `command("payment.authorize")` is whole as it is.
struct CommandSpec {
  std::string action, key, subject, query_key{}, query_action{};
  std::uint32_t attempt = 1, generation = 1;
  sdk::State state{};
  std::int64_t patience_ms = 5000;  // deadline, from when it is sent; may be negative
  std::int64_t amount = 1999;
  std::string currency = "EUR";
  std::uint32_t exponent = 2;
  orderd_totals totals{};
  std::vector<sdk::Line> lines{{1, "SKU-0001", 1, 1999}};
  std::string customer_id = "c-42", method = "card", provider_reference{};
  std::string secret_json{}, details_json = "{}";
  orderd_uuid order_id{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

  bool query() const { return !query_key.empty(); }
};

inline CommandSpec command(const std::string& action, const std::string& subject = "pay-1",
                           int sequence = 1) {
  CommandSpec spec;
  spec.action = action;
  spec.subject = subject;
  spec.key = subject + "." + action + "." + std::to_string(sequence) + ".g1";
  if (action == "payment.authorize") spec.secret_json = R"({"token":"tok_ok"})";
  return spec;
}
/// Asks what became of another command.
inline CommandSpec query_of(const CommandSpec& asked) {
  CommandSpec spec = asked;
  spec.query_key = asked.key;
  spec.query_action = asked.action;
  spec.action = asked.action.substr(0, asked.action.find('.')) + ".query";
  spec.key = asked.key + ".query";
  spec.secret_json.clear();
  return spec;
}

/// The C structs of several commands; their views look into the specs, which outlive it.
class AbiCommands {
 public:
  void add(const CommandSpec& spec, orderd_ticket ticket) {
    orderd_command& out = commands_.emplace_back();
    ORDERD_CLEAR(out);
    const auto given = [](const std::string& s) {
      return s.empty() ? orderd_view{nullptr, 0} : sdk::view(s);
    };
    out.attempt = spec.attempt;
    out.ticket = ticket;
    out.order_id = spec.order_id;
    out.action = given(spec.action);
    out.key = given(spec.key);
    out.subject = given(spec.subject);
    out.query_key = given(spec.query_key);
    out.query_action = given(spec.query_action);
    out.generation = spec.generation;
    out.state_version = spec.state.version;
    out.state = given(spec.state.bytes);
    out.deadline_ms = now_ms() + spec.patience_ms;
    out.amount.amount = spec.amount;
    spec.currency.copy(out.amount.currency, 3);
    out.amount.exponent = spec.exponent;
    out.totals = spec.totals;
    auto& list = line_lists_.emplace_back();
    for (const sdk::Line& line : spec.lines) {
      orderd_line& one = lines_.emplace_back();
      ORDERD_CLEAR(one);
      one.line_id = line.line_id;
      one.sku = given(line.sku);
      one.quantity = line.quantity;
      one.unit_price = line.unit_price;
      list.push_back(&one);
    }
    out.lines = list.data();
    out.line_count = list.size();
    out.customer_id = given(spec.customer_id);
    out.method = given(spec.method);
    out.provider_reference = given(spec.provider_reference);
    out.secret_json = given(spec.secret_json);
    out.details_json = given(spec.details_json);
    pointers_.push_back(&out);
  }
  const orderd_command* const* data() const { return pointers_.data(); }
  std::uint64_t size() const { return pointers_.size(); }
  orderd_command& at(std::size_t i) { return commands_[i]; }

 private:
  std::deque<orderd_command> commands_;  // deques: pointers into them stay
  std::deque<orderd_line> lines_;
  std::deque<std::vector<const orderd_line*>> line_lists_;
  std::vector<const orderd_command*> pointers_;
};

}  // namespace orderd::testing
#endif
