#pragma once
// The table api_keys: what orderctl does with keys, each time with a row in audit_log and in one transaction.
// [one thread at a time, with its connection]
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "auth/key.h"
#include "base/clock.h"
#include "store/connection.h"

namespace orderd::auth {

/// Every host keeps all live keys in memory.
inline constexpr std::int64_t live_keys_max = 10'000;
/// The old one and its successor, while clients change over.
inline constexpr std::int64_t live_keys_per_caller_max = 2;

/// What was asked for cannot be; what() is a line for people.
struct KeyError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct KeyWish {
  std::string caller;
  Scopes scopes;
  std::optional<std::string> customer;
  std::optional<Time> expires;
};
struct MadeKey {
  std::string id, text;  // text is shown now and never again
  KeyWish wish;
};
/// The first key of a caller. Throws KeyError: the caller has a live key.
MadeKey create_key(store::Connection& connection, const KeyWish& wish, const std::string& actor);

struct Rotation {
  std::string caller;
  std::optional<Time> expires;
};
/// Another key with scopes and customer of the caller's newest; both live until the old one is revoked.
/// Throws KeyError: the caller has none, or two.
MadeKey rotate_key(store::Connection& connection, const Rotation& rotation, const std::string& actor);

struct Revocation {
  std::string which;  // a key's id, or a caller for all its keys
  std::string reason;
};
/// The ids of the keys that ended. Throws KeyError: no live key is called that.
std::vector<std::string> revoke_keys(store::Connection& connection, const Revocation& revocation,
                                     const std::string& actor);

/// All keys that are neither revoked nor expired, by the database's clock.
std::vector<Key> live_keys(store::Connection& connection);

}  // namespace orderd::auth
