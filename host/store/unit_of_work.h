#pragma once
// A transaction on one session: everything or nothing.
#include <utility>
#include <vector>

#include "store/connection.h"

namespace orderd::store {

/// BEGIN to COMMIT. The destructor rolls back what was not committed.
class UnitOfWork {
 public:
  explicit UnitOfWork(Connection& connection);
  ~UnitOfWork();
  UnitOfWork(const UnitOfWork&) = delete;
  UnitOfWork& operator=(const UnitOfWork&) = delete;

  void send(const Statement& statement, Args args = {}) { connection_.send(statement, std::move(args)); }
  /// Results of the statements sent since the last flush.
  std::vector<Rows> flush();
  Rows run(const Statement& statement, Args args = {});
  /// A statement that is not this project's; `param(i)` yields the ForeignParam of $i+1.
  template <typename Param>
  Rows run_foreign(const char* sql, std::size_t count, Param param, bool binary_result) {
    std::vector<ForeignParam> params;
    for (std::size_t i = 0; i < count; ++i) params.push_back(param(i));
    connection_.send_foreign(sql, params, binary_result);
    auto results = flush();
    return std::move(results.back());
  }
  /// Sends what is queued and COMMIT in one go: if a statement fails, COMMIT is skipped and DbError thrown.
  std::vector<Rows> commit();
  Connection& connection() { return connection_; }
  /// How many results the next flush will have before those of statements sent from now on.
  std::size_t pending() const {
    return connection_.queued() - (begun_ ? 0 : static_cast<std::size_t>(preamble_));
  }

 private:
  Connection& connection_;
  int preamble_ = 1;  // results of BEGIN and its like
  bool begun_ = false, done_ = false;
};

}  // namespace orderd::store
