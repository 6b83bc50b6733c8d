#include "store/db_error.h"

#include <algorithm>
#include <array>

namespace orderd::store {
namespace {

bool begins_with_one_of(std::string_view text, std::initializer_list<std::string_view> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view one) { return text.starts_with(one); });
}

}  // namespace

Trouble trouble_of(std::string_view sqlstate) {
  // 08: the connection. 57P: the server goes down, or ended the session. 25006: a standby, or a session that
  // began while nothing could be written. 25P03: ended for being idle.
  if (sqlstate.empty() || begins_with_one_of(sqlstate, {"08", "57P", "25006", "25P03"}))
    return Trouble::session;
  // 42501 is a right that somebody revoked, and the only one of its class that comes back.
  if (sqlstate == "42501") return Trouble::passing;
  // 0A: not supported. 21, 22, 23, 44: data. 42: the statement. 54: PostgreSQL's limits. P0: raised by a
  // trigger. OP: the plugin refuses.
  return begins_with_one_of(sqlstate, {"0A", "21", "22", "23", "42", "44", "54", "P0", "OP"})
             ? Trouble::permanent
             : Trouble::passing;
}

bool is_locked(std::string_view sqlstate) { return begins_with_one_of(sqlstate, {"55P03", "40", "57014"}); }

std::string_view cause_of(std::string_view sqlstate) {
  struct Known {
    std::string_view beginning, words;
  };
  static constexpr std::array<Known, 11> known{{
      {"53100", "the database has no room left on its disk"},
      {"53300", "the database has no session free"},
      {"53", "the database lacks resources"},
      {"58", "the database's storage fails"},
      {"XX", "the database's storage fails"},
      {"25006", "the database takes no writes at the moment (read-only)"},
      {"42501", "orderd lacks a right in the database"},
      {"55P03", "somebody holds a lock in the database"},
      {"40", "somebody holds a lock in the database"},
      {"57014", "the database gave up a statement that took too long"},
      {"57P", "the database is starting or stopping"},
  }};
  for (const Known& one : known)
    if (sqlstate.starts_with(one.beginning)) return one.words;
  return "the database cannot be reached";
}

}  // namespace orderd::store
