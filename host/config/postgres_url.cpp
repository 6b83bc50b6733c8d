#include "config/postgres_url.h"

#include <libpq-fe.h>

#include <charconv>
#include <memory>

namespace orderd::config {
namespace {

constexpr const char* unreadable =
    "cannot be read as a connection string (not shown here): write "
    "postgresql://ROLE@HOST:PORT/DATABASE?PARAMETER=VALUE with libpq's parameters (sslmode, ...), and "
    "%25, %40, %3A, %2F, %3F for %, @, :, /, ? in a name or password; a password is better put into a file: "
    "postgres.password_file";

/// "5432", or "5432,5433" for several hosts. libpq looks at it when it connects, and then quotes it.
bool is_port(std::string_view text) {
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    unsigned port = 0;
    const char* const last = text.data() + end;
    if (at != end && (std::from_chars(text.data() + at, last, port).ptr != last || port == 0 || port > 65535))
      return false;
    at = end + 1;
  }
  return true;
}

/// Does libpq take a part of a password for a host or a database? One '@' stands before the host, no other.
bool has_stray_at(const std::string& url) {
  const auto start = url.find("://");
  if (!url.starts_with("postgres") || start == url.npos) return false;
  const std::string rest = url.substr(start + 3, url.find('?') - start - 3);
  const auto at = rest.find('@');
  return at != rest.npos && (rest.find('@', at + 1) != rest.npos || rest.find('/') < at);
}

}  // namespace

std::string postgres_url_problem(const std::string& url) {
  char* quoted = nullptr;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(
      PQconninfoParse(url.c_str(), &quoted), PQconninfoFree);
  PQfreemem(quoted);
  bool good = options && !has_stray_at(url);
  for (const PQconninfoOption* one = options.get(); good && one->keyword; ++one)
    if (std::string_view(one->keyword) == "port" && one->val) good = is_port(one->val);
  return good ? "" : unreadable;
}

}  // namespace orderd::config
