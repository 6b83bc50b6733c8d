#pragma once
// What an API key is: its text, what it may do, for whom. Pure. [any thread]
//
// `ok_<id>_<secret>`: the id names the row of api_keys and may be shown, the secret is 32 random bytes and is
// shown once, when the key is made. Only the SHA-256 of the whole text is kept.
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderd::auth {

enum class Scope { orders_read, orders_write, ops_read, ops_act, ops_money };
/// "orders:read"
std::string_view name_of(Scope scope);
std::optional<Scope> parse_scope(std::string_view name);
const std::vector<Scope>& all_scopes();

class Scopes {
 public:
  Scopes() = default;
  Scopes(std::initializer_list<Scope> scopes) {
    for (const Scope scope : scopes) add(scope);
  }
  void add(Scope scope) { bits_ |= 1u << static_cast<unsigned>(scope); }
  bool has(Scope scope) const { return (bits_ >> static_cast<unsigned>(scope) & 1u) != 0; }
  bool empty() const { return bits_ == 0; }
  /// Names separated by spaces, in the order of the enumeration.
  std::string to_string() const;

 private:
  unsigned bits_ = 0;
};
/// Names separated by spaces or commas; nullopt if one is no scope, or there is none.
std::optional<Scopes> parse_scopes(std::string_view text);

/// A key that is neither revoked nor expired.
struct Key {
  std::string id;
  std::string caller;  // whose key it is; a caller keeps its name when its key is rotated
  Scopes scopes;
  std::optional<std::string> customer;  // sees and places this customer's orders only
  std::string sha256;                   // of the key's text, 64 hex digits
};

/// 1 to 64 of lower-case letters, digits, '.', '_' and '-', beginning with a letter or digit; not a name that
/// the host gives itself.
bool is_caller_name(std::string_view name);
/// Whoever asks without a key while none is needed, and whoever shows a tracking token.
inline constexpr const char* anonymous = "anonymous";
inline constexpr const char* tracking = "tracking-token";

struct NewKey {
  std::string id, text;
};
/// From the system's random numbers. Throws std::runtime_error if it has none.
NewKey make_key();
/// The id in a key's text; nullopt if it does not have a key's shape.
std::optional<std::string_view> id_in(std::string_view text);
/// In constant time: is `text` the key whose hash this is?
bool fits(std::string_view text, std::string_view sha256);

}  // namespace orderd::auth
