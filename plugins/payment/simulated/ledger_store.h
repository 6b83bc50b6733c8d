#pragma once
// The bank's books in a PostgreSQL of its own choice, outside the host's transactions: tables, statements,
// and the way of a BatchState in and out. Used by one thread.
//
//   ledger    one row a movement of money, never changed: what really happened
//   payments  one row a payment: its token and its totals
//   calls     commands answered without a movement, or not yet with one
//
// Several hosts write the same books: what was read is compared when it is saved, nothing is locked in
// between.
#include <memory>
#include <string>
#include <vector>

#include "batch_state.h"
#include "pg_session.h"

namespace simulated {

class LedgerStore {
 public:
  /// Connects; makes the tables if they are not there. Throws PgSessionError.
  LedgerStore(const std::string& url, const std::string& schema, const std::string& application_name);

  /// Everything that these commands are about. A key that a query finds missing will never appear later from
  /// a transaction that had begun before. Throws PgSessionError.
  BatchState load(const std::vector<const Command*>& commands);
  /// What changed, in one transaction. Throws PgSessionError; is_conflict(): load and decide again.
  void save(const BatchState& batch);
  /// Payments with a movement since, in order of id behind `cursor`; the outcome's details. Throws
  /// PgSessionError.
  std::string list_since(std::int64_t since_ms, const std::string& cursor);

  static bool is_conflict(const PgSessionError& error);

 private:
  BatchState load_once(const std::vector<const Command*>& commands, bool after_all_writers);
  void send_payments(std::vector<Trip>& trip, const BatchState& batch) const;
  void send_effects(std::vector<Trip>& trip, const BatchState& batch) const;
  void send_calls(std::vector<Trip>& trip, const BatchState& batch) const;

  PgSession session_;
  const std::int64_t gate_;  // the advisory lock's number
};

}  // namespace simulated
