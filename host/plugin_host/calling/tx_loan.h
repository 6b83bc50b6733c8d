#pragma once
// "orderd.tx/1": a TxPort lent to a plugin for one call. A loan object is never freed before its instance: a
// plugin that uses one late, or on another thread, is answered ORDERD_E_STALE.
#include <orderd/tx.h>

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "plugin_ports/tx.h"

namespace orderd::plugins {

/// The table that get_extension() hands out.
const orderd_tx_v1* tx_table();

/// Whether a plugin may send this: only statements that read and write, and definitions of tables. What a
/// transaction, a session or the server is told is the host's.
bool statement_allowed(const char* sql);

/// One instance's loans. [any thread]
class LoanPool {
 public:
  LoanPool();
  ~LoanPool();

  /// A transaction lent for the life of this object, to be made on the thread that calls the plugin.
  class Loan {
   public:
    Loan(LoanPool& pool, TxPort& port);
    ~Loan();
    Loan(const Loan&) = delete;
    orderd_tx* get() const { return tx_; }
    /// The first statement's failure, if one failed: then all of the call is to be rolled back.
    const std::optional<TxError>& error() const;

   private:
    LoanPool& pool_;
    orderd_tx* tx_;
  };

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<orderd_tx>> all_;  // guarded by mutex_
  std::vector<orderd_tx*> free_;                 // guarded by mutex_
};

}  // namespace orderd::plugins
