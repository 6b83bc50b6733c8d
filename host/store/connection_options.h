#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orderd::store {

/// SQL with a name under which each session prepares it once. Make them `constexpr` or static: the address is
/// not kept.
struct Statement {
  const char* name;
  const char* sql;
};

struct ConnectionOptions {
  std::string url;         // libpq connection string or URI
  std::string password{};  // wins over the URL's; "": the URL's, or libpq's other sources
  bool pooled = false;  // behind pgbouncer in transaction mode: no prepared statements, no session settings
  int connect_timeout_s = 5;
  int lock_timeout_ms = 2000;                 // a stage never waits longer for somebody's row lock
  int idle_in_transaction_timeout_ms = 5000;  // a frozen owner's locks end by themselves
  int tcp_user_timeout_ms = 5000;
  /// Without a byte of an answer that is waited for: the session counts as lost. The server ends a statement
  /// a little earlier. 0: no limit.
  int answer_timeout_ms = 15'000;
  std::string application_name = "orderd";
};

/// A parameter of somebody else's statement, as it came.
struct ForeignParam {
  std::uint32_t type = 0;  // oid; 0: the server infers
  bool binary = false;
  std::optional<std::string_view> value;  // nullopt: NULL
};

}  // namespace orderd::store
