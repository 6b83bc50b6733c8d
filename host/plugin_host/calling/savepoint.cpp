#include "plugin_host/calling/savepoint.h"

namespace orderd::plugins {
namespace {

/// "" if the items took effect; else they had none.
std::string try_items(TxPort& tx, std::size_t first, std::size_t count, const Attempt& attempt) {
  tx.savepoint();
  std::string why;
  try {
    why = attempt(first, count);
    if (why.empty()) {
      tx.release_savepoint();
      return "";
    }
  } catch (const TxError& e) {
    if (e.ends_transaction()) throw;
    why = e.what();
  }
  tx.rollback_to_savepoint();
  return why;
}

}  // namespace

void all_or_one_by_one(TxPort& tx, std::size_t count, const Attempt& attempt, const GiveUp& give_up) {
  if (count == 0) return;
  const std::string all = try_items(tx, 0, count, attempt);
  if (all.empty()) return;
  if (count == 1) return give_up(0, all);
  for (std::size_t i = 0; i < count; ++i)
    if (const std::string one = try_items(tx, i, 1, attempt); !one.empty()) give_up(i, one);
}

}  // namespace orderd::plugins
