#include "auth/key.h"

#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

#include "base/sha256.h"

namespace orderd::auth {
namespace {

constexpr std::string_view prefix = "ok_";
constexpr std::size_t id_bytes = 8, secret_bytes = 32, caller_characters_max = 64;
constexpr std::size_t id_characters = 2 * id_bytes, secret_characters = 2 * secret_bytes;

std::string random_hex(std::size_t bytes) {
  std::string out(bytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(bytes)) != 1)
    throw std::runtime_error("the system has no random numbers to make a key of");
  return to_hex(out);
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

std::string_view name_of(Scope scope) {
  switch (scope) {
    case Scope::orders_read:
      return "orders:read";
    case Scope::orders_write:
      return "orders:write";
    case Scope::ops_read:
      return "ops:read";
    case Scope::ops_act:
      return "ops:act";
    case Scope::ops_money:
      return "ops:money";
  }
  return "";
}

const std::vector<Scope>& all_scopes() {
  static const std::vector<Scope> all{Scope::orders_read, Scope::orders_write, Scope::ops_read,
                                      Scope::ops_act, Scope::ops_money};
  return all;
}

std::optional<Scope> parse_scope(std::string_view name) {
  for (const Scope scope : all_scopes())
    if (name_of(scope) == name) return scope;
  return std::nullopt;
}

std::string Scopes::to_string() const {
  std::string out;
  for (const Scope scope : all_scopes())
    if (has(scope)) out.append(out.empty() ? "" : " ").append(name_of(scope));
  return out;
}

std::optional<Scopes> parse_scopes(std::string_view text) {
  Scopes scopes;
  while (!text.empty()) {
    const auto end = text.find_first_of(" ,");
    const auto scope = parse_scope(text.substr(0, end));
    if (!scope) return std::nullopt;
    scopes.add(*scope);
    text = end == text.npos ? std::string_view() : text.substr(end + 1);
  }
  if (scopes.empty()) return std::nullopt;
  return scopes;
}

bool is_caller_name(std::string_view name) {
  return !name.empty() && name.size() <= caller_characters_max && is_letter_or_digit(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-'; }) &&
         name != anonymous && name != tracking;
}

NewKey make_key() {
  NewKey key{random_hex(id_bytes), {}};
  key.text = std::string(prefix) + key.id + "_" + random_hex(secret_bytes);
  return key;
}

std::optional<std::string_view> id_in(std::string_view text) {
  if (text.size() != prefix.size() + id_characters + 1 + secret_characters ||
      text.substr(0, prefix.size()) != prefix)
    return std::nullopt;
  const auto id = text.substr(prefix.size(), id_characters);
  const auto rest = text.substr(prefix.size() + id_characters);
  if (!is_hex(id) || rest.front() != '_' || !is_hex(rest.substr(1))) return std::nullopt;
  return id;
}

bool fits(std::string_view text, std::string_view sha256) {
  return equal_in_constant_time(sha256_hex(text), sha256);
}

}  // namespace orderd::auth
