#include "store/report.h"

#include <Poco/Data/PostgreSQL/Connector.h>
#include <Poco/Data/RecordSet.h>
#include <Poco/Data/Session.h>
#include <Poco/Exception.h>
#include <libpq-fe.h>

#include <cstdlib>

namespace orderd::store {
namespace {

/// Poco::Data takes keywords split at spaces, so neither a URI nor a password with a space in it. Let libpq
/// take the string apart, and find the values where it looks for what a string lacks: in PG* variables.
std::string keywords(const ConnectionOptions& from) {
  PQconninfoOption* options = PQconninfoParse(from.url.c_str(), nullptr);
  // libpq's own words would quote a part of it, which may be of the password.
  if (!options) throw DbError("postgres.url cannot be read as a connection string", "", true);
  std::string out = "connect_timeout=" + std::to_string(from.connect_timeout_s);
  for (const PQconninfoOption* one = options; one->keyword; ++one) {
    if (!one->val || !*one->val) continue;
    if (one->envvar)
      ::setenv(one->envvar, one->val, 1);
    else
      out.append(" ").append(one->keyword).append("=").append(one->val);
  }
  if (!from.password.empty()) ::setenv("PGPASSWORD", from.password.c_str(), 1);
  PQconninfoFree(options);
  return out;
}

}  // namespace

Report read_report(const ConnectionOptions& options, const std::string& sql) {
  // Poco::Data 1.11 leaks a session that it could not open, and tells no SQLSTATE: one of ours goes first.
  (void)Connection(options);
  Poco::Data::PostgreSQL::Connector::registerConnector();
  try {
    Poco::Data::Session session(Poco::Data::PostgreSQL::Connector::KEY, keywords(options));
    session.begin();  // behind a pooler, a transaction is what keeps to one server connection
    Poco::Data::Statement select(session);
    select << sql, Poco::Data::Keywords::now;
    const Poco::Data::RecordSet records(select);
    Report report;
    for (std::size_t column = 0; column < records.columnCount(); ++column)
      report.columns.push_back(records.columnName(column));
    for (std::size_t row = 0; row < records.rowCount(); ++row) {
      report.rows.emplace_back();
      for (std::size_t column = 0; column < records.columnCount(); ++column) {
        const auto value = records.value(column, row);
        report.rows.back().push_back(value.isEmpty() ? std::string() : value.convert<std::string>());
      }
    }
    session.commit();
    return report;
  } catch (const Poco::Exception& error) { throw DbError(error.displayText(), "", true); }
}

}  // namespace orderd::store
