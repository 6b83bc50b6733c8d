#pragma once
// One session with the ledger's PostgreSQL: prepared statements, several in one round trip, each trip one
// transaction. Owned and used by one thread.
#include <libpq-fe.h>

#include <orderd/params.hpp>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace simulated {

/// The server refused a statement (then nothing of the trip took effect), or the session is lost (then nobody
/// knows).
class PgSessionError : public std::runtime_error {
 public:
  PgSessionError(const std::string& message, std::string state, bool is_lost)
      : std::runtime_error(message), sqlstate(std::move(state)), lost(is_lost) {}
  const std::string sqlstate;
  const bool lost;
};

/// The result of one statement, binary.
class Rows {
 public:
  explicit Rows(PGresult* result) : result_(result) {}
  bool sound() const {
    const auto status = PQresultStatus(result_.get());
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
  }
  const PGresult* raw() const { return result_.get(); }
  int size() const { return PQntuples(result_.get()); }
  bool is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
  std::string text(int row, int column) const;
  std::int64_t integer(int row, int column) const;  // int2, int4, int8
  bool boolean(int row, int column) const { return integer_bytes(row, column)[0] != 0; }

 private:
  const unsigned char* integer_bytes(int row, int column) const;
  struct Clearer {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  std::unique_ptr<PGresult, Clearer> result_;
};

/// A statement of a trip, by its number in the list that the link was made with.
struct Trip {
  std::size_t statement;
  orderd::sdk::Params params;
};

class PgSession {
 public:
  /// Connects and prepares. Throws PgSessionError.
  PgSession(const std::string& url, const std::string& application_name,
            const std::vector<std::string>& statements);
  /// All of it in one round trip and one transaction; one result a statement. Throws PgSessionError.
  std::vector<Rows> run(const std::vector<Trip>& trip);
  /// Statements as text, for set-up. Throws PgSessionError.
  void script(const std::string& sql);
  Rows ask(const std::string& sql);

 private:
  PGresult* next();
  [[noreturn]] void lost(const std::string& what);
  PgSessionError error_of(const Rows& rows) const;
  struct Closer {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  std::unique_ptr<PGconn, Closer> connection_;
};

}  // namespace simulated
