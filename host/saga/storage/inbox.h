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

#include "model/event.h"
#include "saga/core/decide.h"
#include "store/unit_of_work.h"

namespace orderd::saga {

/// A replay is an event of the log that could not be taken when it came (outbox/dead_letters.h).
enum class InboxKind : std::int16_t { notice = 1, verb = 2, replay = 3 };
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

/// An event as a row's data, and back with its place in the log.
std::string replay_json(const Event& event, std::int64_t pos);
struct ReplayedEvent {
  Event event;
  std::int64_t pos = 0;
};
std::optional<ReplayedEvent> read_replay(std::string_view data);
/// Puts one, to be taken at `at` or later.
void put_replay(store::UnitOfWork& work, const Event& event, std::int64_t pos, Time at);

}  // namespace orderd::saga
