#include "intake/idempotency.h"

#include <algorithm>
#include <tuple>

#include "base/clock.h"
#include "base/fault.h"

namespace orderd::intake {
namespace {

constexpr store::Statement claim{
    "claim_keys",
    "with k as (insert into idempotency_keys as i (scope, key, fingerprint, order_id, version, created) "
    "select s, k, f, o, $5::int4, now() from unnest($1::text[], $2::text[], $3::bytea[], "
    "$4::uuid[]) u(s, k, f, o) "
    "on conflict (scope, key) do update set fingerprint = excluded.fingerprint, order_id = "
    "excluded.order_id, "
    "version = excluded.version, created = excluded.created where i.created < now() - interval '24 hours' "
    "returning 1) "
    "select orderd_expect((select count(*) from k), $6::int8, 'OD003', 'new idempotency keys')"};

constexpr store::Statement read_used{
    "used_keys",
    "select i.scope, i.key, i.fingerprint, i.order_id, i.version from unnest($1::text[], $2::text[]) u(s, k) "
    "join idempotency_keys i on i.scope = u.s and i.key = u.k where i.created >= now() - interval '24 "
    "hours'"};

// A key may be taken over between the two looks at `created`, hence the second one.
constexpr store::Statement purge{
    "purge_keys",
    "delete from idempotency_keys where created < now() - interval '24 hours' and ctid = any (array("
    "select ctid from idempotency_keys where created < now() - interval '24 hours' limit $1::int8))"};
// The same by a host that trusts its own clock.
constexpr store::Statement purge_by_host{"purge_keys_by_host",
                                         "delete from idempotency_keys where created < $2::timestamptz - "
                                         "interval '24 hours' and $1::int8 > 0"};

}  // namespace

void claim_keys(store::UnitOfWork& work, std::vector<KeyUse> uses, std::int32_t version) {
  if (uses.empty()) return;
  std::sort(uses.begin(), uses.end(), [](const KeyUse& a, const KeyUse& b) {
    return std::tie(a.key->scope, a.key->value) < std::tie(b.key->scope, b.key->value);
  });
  std::vector<std::string> scopes, values, fingerprints;
  std::vector<Uuid> ids;
  for (const KeyUse& use : uses) {
    scopes.push_back(use.key->scope);
    values.push_back(use.key->value);
    fingerprints.push_back(use.key->fingerprint);
    ids.push_back(use.order_id);
  }
  work.send(claim, store::Args()
                       .texts(scopes)
                       .texts(values)
                       .byteas(fingerprints)
                       .uuids(ids)
                       .int4(version)
                       .int8(static_cast<std::int64_t>(uses.size())));
}

std::vector<UsedKey> used_keys(store::Connection& connection,
                               const std::vector<const IdempotencyKey*>& keys) {
  std::vector<std::string> scopes, values;
  for (const IdempotencyKey* key : keys) {
    scopes.push_back(key->scope);
    values.push_back(key->value);
  }
  const store::Rows rows = connection.run(read_used, store::Args().texts(scopes).texts(values));
  std::vector<UsedKey> used;
  for (int i = 0; i < rows.size(); ++i)
    used.push_back({std::string(rows.bytes(i, 0)), std::string(rows.bytes(i, 1)),
                    std::string(rows.bytes(i, 2)), rows.uuid(i, 3),
                    static_cast<std::int32_t>(rows.integer(i, 4))});
  return used;
}

std::int64_t purge_keys(store::Connection& connection, std::int64_t rows_max) {
  if (fault::mutation("keys_expire_by_host"))
    return connection.run(purge_by_host, store::Args().int8(rows_max).timestamptz(wall_now())).affected();
  return connection.run(purge, store::Args().int8(rows_max)).affected();
}

}  // namespace orderd::intake
