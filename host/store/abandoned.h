#pragma once
// Sessions whose client stopped in the middle of a transaction, and whose locks would stay for ever.
#include "store/connection.h"

namespace orderd::store {

/// Ends the sessions of this system, on this database, that hold a transaction and have waited for the rest
/// of what their client sends for longer than `timeout_ms`: a host that was frozen between two packets of a
/// pipeline. PostgreSQL's own idle_in_transaction_session_timeout begins only when it has answered
/// (PostgreSQL 15, section 20.11.1), and statement_timeout ends with each statement. COPY is left alone. How
/// many were ended. Throws DbError.
int end_abandoned(Connection& connection, int timeout_ms);

}  // namespace orderd::store
