#include "store/rights.h"

#include <map>

namespace orderd::store {
namespace {

// The partitions of order_events are read and written through their parent.
constexpr Statement missing_right{
    "missing_right",
    "select name, right_, current_user::text from (values "
    "(1, 'select', '{orders,order_state,order_events,log_shard,positions,hosts,idempotency_keys,"
    "payment_secrets,saga_definitions,sagas,saga_journal,parked,audit_log,saga_inbox,webhook_inbox,"
    "webhook_events,switches,plugin_status,api_keys,sweeps,plugin_builds,plugin_current,plugin_loaded,"
    "key_check,log_marks,log_epoch,unknown_payments}'), "
    "(2, 'insert', '{orders,order_state,order_events,positions,hosts,idempotency_keys,payment_secrets,"
    "saga_definitions,sagas,saga_journal,parked,audit_log,saga_inbox,webhook_inbox,webhook_events,switches,"
    "plugin_status,sweeps,plugin_builds,plugin_current,plugin_loaded,key_check,log_marks,unknown_payments}'),"
    " "
    "(3, 'update', '{order_state,log_shard,positions,idempotency_keys,sagas,parked,webhook_inbox,sweeps,"
    "plugin_builds,plugin_current,log_marks,log_epoch,unknown_payments}'), "
    "(4, 'delete', '{hosts,idempotency_keys,payment_secrets,sagas,parked,saga_inbox,webhook_inbox,switches,"
    "plugin_status,plugin_loaded,unknown_payments}')) r(rank, right_, names), "
    "unnest(names::text[]) with ordinality n(name, place) "
    // A table that is not there is the schema's affair.
    "where not has_table_privilege(to_regclass(name), right_) order by place, rank limit 1"};

// The tables that the migrations' texts create.
constexpr Statement missing_on_plugins{
    "missing_right_on_plugins",
    "select t.name, r.name, current_user::text from (select distinct m[1] as name from unnest($1::text[]) "
    "sql, regexp_matches(sql, 'create\\s+table\\s+(?:if\\s+not\\s+exists\\s+)?([a-z0-9_.]+)', 'gi') m) t, "
    "(values (1, 'select'), (2, 'insert'), (3, 'update'), (4, 'delete')) r(rank, name) "
    "where not has_table_privilege(to_regclass(t.name), r.name) order by 1, r.rank limit 1"};

}  // namespace

std::string plugins_rights_problem(Connection& connection,
                                   const std::map<std::string, std::vector<Migration>>& migrations) {
  std::vector<std::string> texts;
  for (const auto& [owner, list] : migrations)
    for (const Migration& one : list) texts.push_back(one.sql);
  const auto rows = connection.run(missing_on_plugins, Args().texts(texts));
  if (rows.empty()) return "";
  const std::string table(rows.bytes(0, 0)), right(rows.bytes(0, 1)), role(rows.bytes(0, 2));
  return "the role " + role + " may not " + right + " on a plugin's table " + table +
         ": as the table's owner `grant select, insert, update, delete on " + table + " to " + role + "`";
}

std::string rights_problem(Connection& connection) {
  const auto rows = connection.run(missing_right);
  if (rows.empty()) return "";
  const std::string table(rows.bytes(0, 0)), right(rows.bytes(0, 1)), role(rows.bytes(0, 2));
  return "the role " + role + " may not " + right + " on table " + table +
         ": as the tables' owner `grant select, insert, update, delete on all tables in schema public to " +
         role + "`, or make the role their owner and run `orderctl migrate apply`";
}

std::string refusal_fix(const std::string& sqlstate) {
  static const std::map<std::string, std::string> fixes{
      {"28000",
       "`orderctl setup` makes a role that is missing; else correct the role in postgres.url, or let it in "
       "by "
       "pg_hba.conf (by the local socket PostgreSQL may want the user of the role's name: sudo)"},
      {"28P01",
       "correct the password: put the role's into the file that postgres.password_file names, or `alter role "
       "... password` in PostgreSQL"},
      {"3D000", "`orderctl setup` makes the database, or correct its name in postgres.url"},
      {sqlstate_no_right,
       "give the role its rights: `grant create on schema public to ROLE`, and select, insert, update, "
       "delete "
       "on orderd's tables, or make it their owner"}};
  const auto found = fixes.find(sqlstate);
  return found == fixes.end() ? "" : found->second;
}

}  // namespace orderd::store
