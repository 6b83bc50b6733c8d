#pragma once
// `saga_inbox`: what the owner of an order's shard is to take besides the log. Whoever has something to say
// to a saga (a webhook that was translated, the sweeper, an operator) puts a row; the owner's transaction
// that takes it deletes it, so each has its effect once. Order among rows of one order is not promised: see
// Notice.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "saga/decide.h"
#include "store/connection.h"

namespace orderd::saga {

enum class InboxKind : std::int16_t { notice = 1, verb = 2 };
using InboxInput = std::variant<Notice, Verb>;

std::string to_json(const InboxInput& input);
/// nullopt: damaged.
std::optional<InboxInput> read_inbox(InboxKind kind, std::string_view data);

/// Puts rows, in the caller's transaction; an order that does not exist is left out. Returns how many were
/// put.
struct InboxRow {
  Uuid order_id;
  InboxInput input;
};
int put(store::UnitOfWork& work, const std::vector<InboxRow>& rows);

}  // namespace orderd::saga
