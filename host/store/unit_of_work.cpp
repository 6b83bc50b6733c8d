#include "store/unit_of_work.h"

#include "base/fault.h"

namespace orderd::store {
namespace {
constexpr Statement commit_statement{"commit", "commit"};
}  // namespace

UnitOfWork::UnitOfWork(Connection& connection) : connection_(connection) { preamble_ = connection_.begin(); }

UnitOfWork::~UnitOfWork() {
  if (done_ || !connection_.usable()) return;
  try {
    (void)connection_.flush();  // what is still queued goes first, or script() would have to refuse
  } catch (const DbError&) {
    // It does not matter: all of it is rolled back.
  }
  try {
    if (connection_.usable()) connection_.script("rollback");
  } catch (const DbError&) {
    // The session is broken and ends; PostgreSQL rolls back with it.
  }
}

std::vector<Rows> UnitOfWork::flush() {
  const bool first = !begun_;
  begun_ = true;
  auto results = connection_.flush();
  if (first) results.erase(results.begin(), results.begin() + preamble_);
  return results;
}

Rows UnitOfWork::run(const Statement& statement, Args args) {
  send(statement, std::move(args));
  auto results = flush();
  return std::move(results.back());
}

std::vector<Rows> UnitOfWork::commit() {
  if (fault::awaited("store.half_sent")) {
    connection_.send_half();
    ORDERD_FAULT_POINT("store.half_sent");
  }
  connection_.send(commit_statement);
  auto results = flush();
  done_ = true;
  results.pop_back();
  return results;
}

}  // namespace orderd::store
