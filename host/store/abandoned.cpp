#include "store/abandoned.h"

namespace orderd::store {
namespace {

constexpr Statement end_sessions{
    "end_abandoned",
    "select count(pg_terminate_backend(pid)) from pg_stat_activity "
    "where datname = current_database() and usename = current_user and pid <> pg_backend_pid() "
    "and (application_name = current_setting('application_name') or application_name like 'orderd%') "
    "and state = 'active' and wait_event = 'ClientRead' and query !~* '^\\s*copy' "
    "and xact_start < clock_timestamp() - $1::int8 * interval '1 ms' "
    "and query_start < clock_timestamp() - $1::int8 * interval '1 ms'"};

}  // namespace

int end_abandoned(Connection& connection, int timeout_ms) {
  const auto rows = connection.run(end_sessions, Args().int8(timeout_ms));
  return static_cast<int>(rows.integer(0, 0));
}

}  // namespace orderd::store
