#pragma once
#include <cstddef>
#include <functional>
#include <string>

#include "plugin_ports/tx.h"

namespace orderd::plugins {

/// One call into a plugin for the items first..first+count-1: "" or what failed. May throw TxError.
using Attempt = std::function<std::string(std::size_t first, std::size_t count)>;
/// Item `index` failed alone, of `why`, and has had no effect.
using GiveUp = std::function<void(std::size_t index, const std::string& why)>;

/// Runs `attempt` for all items behind a savepoint. If that fails, back to the savepoint, and once more for
/// each item alone, so that one bad item hurts no other. Throws TxError when the transaction as a whole is
/// lost.
void all_or_one_by_one(TxPort& tx, std::size_t count, const Attempt& attempt, const GiveUp& give_up);

}  // namespace orderd::plugins
