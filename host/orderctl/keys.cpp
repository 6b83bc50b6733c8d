// orderctl keys: who may use the API. A key's text is shown once, when it is made; only its hash is kept.
#include <iostream>

#include "app/wiring.h"
#include "auth/api_keys.h"
#include "model/json.h"
#include "orderctl/given.h"
#include "orderctl/verbs.h"

namespace orderd::ctl {
namespace {

constexpr std::int64_t days_max = 3650;

std::optional<Time> expires(const Given& given) {
  const auto days = given.option("--days");
  if (!days) return std::nullopt;
  const std::int64_t count = number(*days, "--days");
  if (count < 1 || count > days_max) throw UsageError("--days must be from 1 to " + std::to_string(days_max));
  return now() + std::chrono::hours(24 * count);
}

int show(const auth::MadeKey& key, bool as_json) {
  if (as_json) {
    std::string out;
    json::Object object(out);
    object.add("id", key.id).add("caller", key.wish.caller).add("scopes", key.wish.scopes.to_string());
    key.wish.customer ? object.add("customer", *key.wish.customer) : object.raw("customer", "null");
    key.wish.expires ? object.add("expires", to_rfc3339(*key.wish.expires)) : object.raw("expires", "null");
    object.add("key", key.text).end();
    return std::cout << out << "\n", 0;
  }
  std::cout << key.text << "\n";
  std::cerr << "Key " << key.id << " of " << key.wish.caller << ": " << key.wish.scopes.to_string();
  if (key.wish.customer) std::cerr << ", customer " << *key.wish.customer << " only";
  if (key.wish.expires) std::cerr << ", until " << to_rfc3339(*key.wish.expires);
  std::cerr << ".\nIt is shown this once and counts within 2 s. Send it as Authorization: Bearer KEY.\n";
  return 0;
}

int create(Context& context, const Words& words) {
  const Given given(words, {"--customer", "--days"});
  if (given.words.size() != 2) throw UsageError("keys create needs CALLER and SCOPES");
  auth::KeyWish wish;
  wish.caller = given.words[0];
  if (!auth::is_caller_name(wish.caller))
    throw UsageError(
        "CALLER must be 1 to 64 of a-z, 0-9, '.', '_' and '-', and not a name that orderd uses, not " +
        wish.caller);
  const auto scopes = auth::parse_scopes(given.words[1]);
  if (!scopes)
    throw UsageError("SCOPES must be a list of orders:read,orders:write,ops:read,ops:act,ops:money, not " +
                     given.words[1]);
  wish.scopes = *scopes;
  if (const auto customer = given.option("--customer")) {
    if (customer->empty()) throw UsageError("--customer must not be empty");
    for (const auth::Scope scope : {auth::Scope::ops_read, auth::Scope::ops_act, auth::Scope::ops_money})
      if (wish.scopes.has(scope)) throw UsageError("a key of one customer can have no ops scope");
    wish.customer = *customer;
  }
  wish.expires = expires(given);
  const std::string who = actor();  // before root becomes the service's user
  return show(auth::create_key(context.connection(), wish, who), context.json());
}

int list(Context& context, const Words& words) {
  static const std::string sql =
      "select id, caller, array_to_string(scopes, ' ') as scopes, coalesce(customer, '') as customer, "
      "created::text, coalesce(expires::text, '') as expires, case when revoked is not null then 'revoked' "
      "when expires <= now() then 'expired' else 'live' end as state from api_keys "
      "order by revoked is not null, caller, created limit 20000";
  expect_no_words(words);
  context.settings();
  context.become_service_user();
  context.print(store::read_report(database(context.settings()), sql));
  return 0;
}

int rotate(Context& context, const Words& words) {
  const Given given(words, {"--days"});
  if (given.words.size() != 1) throw UsageError("keys rotate needs CALLER");
  const std::string who = actor();
  const auto key = auth::rotate_key(context.connection(), {given.words[0], expires(given)}, who);
  return show(key, context.json());
}

int revoke(Context& context, const Words& words) {
  const Given given(words, {"--reason"});
  if (given.words.size() != 1) throw UsageError("keys revoke needs KEY_ID, or CALLER for all its keys");
  const std::string who = actor();
  const auto ids =
      auth::revoke_keys(context.connection(), {given.words[0], given.option("--reason").value_or("")}, who);
  std::string all;
  for (const std::string& id : ids) {
    if (!context.json())
      std::cout << id << " is revoked; every host knows within 5 s, open streams end within 15 s\n";
    all += (all.empty() ? "\"" : ",\"") + id + "\"";
  }
  if (context.json()) std::cout << "{\"revoked\":[" << all << "]}\n";
  return 0;
}

}  // namespace

std::vector<Verb> keys_verbs() {
  return {
      {"keys create", "CALLER SCOPES [--customer ID] [--days N]",
       "a key for a caller that has none; SCOPES such as orders:read,orders:write", create},
      {"keys list", "", "all keys, without their secrets", list},
      {"keys rotate", "CALLER [--days N]",
       "a second key with the rights of the first; revoke that when nobody uses it any more", rotate},
      {"keys revoke", "KEY_ID|CALLER [--reason TEXT]", "ends one key, or all of a caller's", revoke},
  };
}

}  // namespace orderd::ctl
