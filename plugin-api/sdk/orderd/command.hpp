// A command, borrowed for a call (CommandView) or owned for longer (Command). Fields as command.h describes
// them.
#ifndef ORDERD_SDK_COMMAND_HPP
#define ORDERD_SDK_COMMAND_HPP

#include <orderd/command.h>

#include <string>
#include <vector>

#include "outcome.hpp"

namespace orderd::sdk {

struct Line {
  std::uint32_t line_id = 0;
  std::string sku;
  std::int64_t quantity = 0;
  std::int64_t unit_price = 0;
};

/// Valid inside the call it came with.
class CommandView {
 public:
  explicit CommandView(const orderd_command* command) : command_(command) {}
  const orderd_command& abi() const { return *command_; }
  std::string_view action() const { return text(command_->action); }
  std::string_view key() const { return text(command_->key); }
  std::string_view subject() const { return text(command_->subject); }
  const orderd_uuid& order_id() const { return command_->order_id; }
  std::size_t line_count() const { return static_cast<std::size_t>(command_->line_count); }
  const orderd_line& line(std::size_t i) const { return *command_->lines[i]; }

 private:
  const orderd_command* command_;
};

/// A copy that may outlive the call.
struct Command {
  explicit Command(const orderd_command& c)
      : attempt(c.attempt),
        order_id(c.order_id),
        action(text(c.action)),
        key(text(c.key)),
        subject(text(c.subject)),
        query_key(text(c.query_key)),
        query_action(text(c.query_action)),
        generation(c.generation),
        state{c.state_version, std::string(text(c.state))},
        deadline_ms(c.deadline_ms),
        amount(c.amount),
        totals(c.totals),
        customer_id(text(c.customer_id)),
        method(text(c.method)),
        provider_reference(text(c.provider_reference)),
        secret_json(text(c.secret_json)),
        details_json(text(c.details_json)),
        traceparent(text(c.traceparent)) {
    lines.reserve(static_cast<std::size_t>(c.line_count));
    for (std::uint64_t i = 0; i < c.line_count; ++i)
      lines.push_back({c.lines[i]->line_id, std::string(text(c.lines[i]->sku)), c.lines[i]->quantity,
                       c.lines[i]->unit_price});
  }

  std::uint32_t attempt;
  orderd_uuid order_id;
  std::string action, key, subject, query_key, query_action;
  std::uint32_t generation;
  State state;
  std::int64_t deadline_ms;
  orderd_money amount;
  orderd_totals totals;
  std::vector<Line> lines;
  std::string customer_id, method, provider_reference, secret_json, details_json, traceparent;
};

}  // namespace orderd::sdk
#endif
