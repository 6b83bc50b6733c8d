#include "store/key_check.h"

namespace orderd::store {
namespace {

constexpr Statement has_table{"has_key_check", "select to_regclass('key_check') is not null"};
constexpr Statement read_check{"read_key_check", "select value from key_check"};
constexpr Statement remember{"remember_key",
                             "insert into key_check (value) values ($1) on conflict do nothing"};

constexpr const char* fix_of_lost_key =
    "put that one back, from the backup of secrets.key_file or from another host of this database; if it is "
    "lost for good, `delete from key_check` in the database lets another one in, and payments that are not "
    "authorized yet then fail with PAYMENT_SECRET_UNREADABLE, without a call (operations.md, \"The key is "
    "lost\")";

}  // namespace

std::string missing_key_problem(Connection& connection, const std::string& path) {
  if (!connection.run(has_table).boolean(0, 0) || connection.run(read_check).empty()) return "";
  return "secrets.key_file: " + path +
         " is not there, and this database's payments were sealed with the key that belongs there: " +
         fix_of_lost_key;
}

std::string key_problem(Connection& connection, const SecretBox& box, const std::string& path) {
  if (!connection.run(has_table).boolean(0, 0)) return "";
  const auto rows = connection.run(read_check);
  if (rows.empty() || rows.bytes(0, 0) == box.derive("key check")) return "";
  return "secrets.key_file: " + path +
         " holds another key than the one that this database's payments were sealed with: " + fix_of_lost_key;
}

std::string remember_key(Connection& connection, const SecretBox& box, const std::string& path) {
  (void)connection.run(remember, Args().bytea(box.derive("key check")));
  return key_problem(connection, box, path);
}

}  // namespace orderd::store
