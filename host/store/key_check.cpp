#include "store/key_check.h"

namespace orderd::store {
namespace {

constexpr Statement read_check{"read_key_check", "select value from key_check"};
constexpr Statement remember{"remember_key",
                             "insert into key_check (value) values ($1) on conflict do nothing"};

}  // namespace

std::string key_problem(Connection& connection, const SecretBox& box, const std::string& path) {
  const auto rows = connection.run(read_check);
  if (rows.empty() || rows.bytes(0, 0) == box.derive("key check")) return "";
  return "secrets.key_file: " + path +
         " holds another key than the one that this database's payments were sealed with: put that one back; "
         "if it is lost for good, `delete from key_check` in the database takes this one, and payments that "
         "are not authorized yet fail";
}

std::string remember_key(Connection& connection, const SecretBox& box, const std::string& path) {
  (void)connection.run(remember, Args().bytea(box.derive("key check")));
  return key_problem(connection, box, path);
}

}  // namespace orderd::store
