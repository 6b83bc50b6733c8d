#pragma once
// The table idempotency_keys: which request made which version of which order. A key and what it stands for
// are written in one transaction, so a key is there if and only if its effect is. Keys count for 24 hours, by
// the database's clock: a host whose own is wrong would let go of everybody's.
#include <optional>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "store/unit_of_work.h"

namespace orderd::intake {

inline constexpr std::size_t key_characters_max = 255;

struct IdempotencyKey {
  std::string scope;        // caller, method and path
  std::string value;        // as the client sent it; "": none
  std::string fingerprint;  // an HMAC of the request
};

/// What a key was used for.
struct UsedKey {
  std::string scope, value, fingerprint;
  Uuid order_id;
  std::int32_t version = 0;
};

struct KeyUse {
  const IdempotencyKey* key = nullptr;
  Uuid order_id;
};
/// SQLSTATE of the transaction that tried to use a key again.
inline constexpr const char* sqlstate_key_used = "OD003";

/// Queues the insertion of all keys (sorted here, so that writers lock in one order); fails the transaction
/// with sqlstate_key_used if one is in use. Keys older than 24 hours are taken over.
void claim_keys(store::UnitOfWork& work, std::vector<KeyUse> uses, std::int32_t version);
/// Those of `keys` that are in use.
std::vector<UsedKey> used_keys(store::Connection& connection, const std::vector<const IdempotencyKey*>& keys);
/// Deletes up to `rows_max` keys older than 24 hours; returns how many.
std::int64_t purge_keys(store::Connection& connection, std::int64_t rows_max);

}  // namespace orderd::intake
