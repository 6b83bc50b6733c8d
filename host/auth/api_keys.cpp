#include "auth/api_keys.h"

#include "auth/audit.h"
#include "base/sha256.h"
#include "model/json.h"

namespace orderd::auth {
namespace {

// One at a time: what they count must still hold when they commit. Readers are not held up.
constexpr store::Statement lock_table{"lock_api_keys", "lock table api_keys in share row exclusive mode"};
constexpr store::Statement select_live{
    "live_api_keys",
    "select id, caller, array_to_string(scopes, ' '), customer, sha256 from api_keys "
    "where revoked is null and (expires is null or expires > now()) order by created limit $1"};
constexpr store::Statement select_of_caller{
    "api_keys_of_caller",
    "select id, array_to_string(scopes, ' '), customer from api_keys where caller = $1 and revoked is null "
    "and (expires is null or expires > now()) order by created desc"};
constexpr store::Statement count_live{
    "count_live_api_keys",
    "select count(*) from api_keys where revoked is null and (expires is null or expires > now())"};
constexpr store::Statement insert_key{"insert_api_key",
                                      "insert into api_keys (id, caller, sha256, scopes, customer, expires) "
                                      "values ($1, $2, $3, $4::text[], $5, $6::timestamptz)"};
constexpr store::Statement revoke{
    "revoke_api_keys",
    "update api_keys set revoked = now() where (id = $1 or caller = $1) and revoked is null "
    "returning id, caller"};
std::string facts_of(const MadeKey& key) {
  std::string out;
  json::Object object(out);
  object.add("key", key.id).add("scopes", key.wish.scopes.to_string());
  if (key.wish.customer) object.add("customer", *key.wish.customer);
  if (key.wish.expires) object.add("expires", to_rfc3339(*key.wish.expires));
  object.end();
  return out;
}

MadeKey insert(store::UnitOfWork& work, KeyWish wish, const Audit& audit) {
  if (work.run(count_live).integer(0, 0) >= live_keys_max)
    throw KeyError("there are " + std::to_string(live_keys_max) + " live keys already: revoke some");
  auto made = make_key();
  MadeKey key{std::move(made.id), std::move(made.text), std::move(wish)};
  std::vector<std::string> scopes;
  for (const Scope scope : all_scopes())
    if (key.wish.scopes.has(scope)) scopes.emplace_back(name_of(scope));
  store::Args args;
  args.text(key.id).text(key.wish.caller).text(sha256_hex(key.text)).texts(scopes);
  key.wish.customer ? args.text(*key.wish.customer) : args.null();
  key.wish.expires ? args.timestamptz(*key.wish.expires) : args.null();
  work.send(insert_key, std::move(args));
  write_audit(work, {audit.actor, audit.verb, key.wish.caller, audit.reason, facts_of(key)});
  work.commit();
  return key;
}

}  // namespace

MadeKey create_key(store::Connection& connection, const KeyWish& wish, const std::string& actor) {
  store::UnitOfWork work(connection);
  work.run(lock_table);
  if (!work.run(select_of_caller, store::Args().text(wish.caller)).empty())
    throw KeyError(wish.caller + " has a key: `keys rotate " + wish.caller +
                   "` makes its next, or revoke it first");
  return insert(work, wish, {actor, "keys.create", wish.caller, ""});
}

MadeKey rotate_key(store::Connection& connection, const Rotation& rotation, const std::string& actor) {
  store::UnitOfWork work(connection);
  work.run(lock_table);
  const store::Rows rows = work.run(select_of_caller, store::Args().text(rotation.caller));
  if (rows.empty()) throw KeyError(rotation.caller + " has no live key: `keys create` makes one");
  if (rows.size() >= live_keys_per_caller_max)
    throw KeyError(rotation.caller + " has two live keys: `keys revoke " + std::string(rows.bytes(1, 0)) +
                   "` ends the older one first");
  KeyWish wish;
  wish.caller = rotation.caller;
  wish.scopes = parse_scopes(rows.bytes(0, 1)).value_or(Scopes());
  if (!rows.is_null(0, 2)) wish.customer = std::string(rows.bytes(0, 2));
  wish.expires = rotation.expires;
  return insert(work, std::move(wish), {actor, "keys.rotate", rotation.caller, ""});
}

std::vector<std::string> revoke_keys(store::Connection& connection, const Revocation& revocation,
                                     const std::string& actor) {
  store::UnitOfWork work(connection);
  const store::Rows rows = work.run(revoke, store::Args().text(revocation.which));
  if (rows.empty()) throw KeyError("no live key and no caller with one is called " + revocation.which);
  std::vector<std::string> ids;
  for (int i = 0; i < rows.size(); ++i) {
    ids.emplace_back(rows.bytes(i, 0));
    std::string data;
    json::Object object(data);
    object.add("key", ids.back()).end();
    write_audit(work, {actor, "keys.revoke", std::string(rows.bytes(i, 1)), revocation.reason, data});
  }
  work.commit();
  return ids;
}

std::vector<Key> live_keys(store::Connection& connection) {
  // One more than there can be, so that the limit never hides a key in silence.
  const store::Rows rows = connection.run(select_live, store::Args().int8(live_keys_max + 1));
  std::vector<Key> keys;
  for (int i = 0; i < rows.size(); ++i) {
    Key key;
    key.id = rows.bytes(i, 0);
    key.caller = rows.bytes(i, 1);
    // A scope that this program does not know permits nothing here.
    std::string_view names = rows.bytes(i, 2);
    while (!names.empty()) {
      const auto end = names.find(' ');
      if (const auto scope = parse_scope(names.substr(0, end))) key.scopes.add(*scope);
      names = end == names.npos ? std::string_view() : names.substr(end + 1);
    }
    if (!rows.is_null(i, 3)) key.customer = std::string(rows.bytes(i, 3));
    key.sha256 = rows.bytes(i, 4);
    keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace orderd::auth
