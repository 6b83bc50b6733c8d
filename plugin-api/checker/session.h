#pragma once
// One transaction on a real PostgreSQL, lent to a plugin as the host lends its own, and rolled back in the
// end.
#include <libpq-fe.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "check.h"

namespace orderd::checker {

class Session {
 public:
  /// Connects and begins. Throws std::runtime_error.
  explicit Session(const std::string& url);
  /// The function behind the fake host's orderd.tx/1.
  testing::Rows run(const char* sql, const orderd_param* params, std::uint32_t count, bool binary);
  /// Statements as text; throws.
  void script(const std::string& sql);

  /// Each table that this transaction wrote to, with a digest of its rows.
  std::map<std::string, std::string> written();

  int statements = 0;  // sent so far
  /// From the n-th statement on (from 0) everything fails with a deadlock; -1: nothing.
  int fail_from = -1;
  /// Statements that are the host's, and were sent.
  std::vector<std::string> forbidden;

 private:
  struct Closer {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  std::unique_ptr<PGconn, Closer> connection_;
};

/// A plugin that began, its tables made (its migrations), in one transaction that is rolled back.
class Lent {
 public:
  explicit Lent(Case& c);
  ~Lent();
  testing::Plugin& plugin() { return begun_.plugin(); }
  testing::FakeHost& host() { return begun_.host(); }
  Session& session() { return *session_; }
  /// Lends the transaction to one call; false if it failed. What it leaves late is found in the end.
  bool with(const std::function<orderd_status(orderd_tx*, orderd_error*)>& call, std::string* why = nullptr);
  /// All in one execute_tx(); empty if the call failed.
  std::vector<sdk::Outcome> execute(const std::vector<testing::CommandSpec>& specs,
                                    std::string* why = nullptr);

 private:
  Case& case_;
  Begun begun_;
  std::unique_ptr<Session> session_;
  std::vector<std::unique_ptr<orderd_tx>> loans_;  // kept, closed: a late use is told from a wild pointer
};

}  // namespace orderd::checker
