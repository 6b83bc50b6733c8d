#pragma once
// Where sagas are kept, as a port: PostgreSQL in the host, memory in tests and simulations. One thread, the
// engine's.
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "plugin_ports/tx.h"
#include "saga/storage/records.h"

namespace orderd::saga {

class StoreError : public std::runtime_error {
 public:
  enum class Kind {
    lost,      // session or ownership gone: nothing that was not committed is true; begin again by claiming
    conflict,  // an order's version moved (a cancellation): decide again
    blocked,   // these changes cannot be written now (locks, room, rights); others may, and these later
    absent,    // an order's plugin is being loaded, or failed to load and is tried again
    refused,   // these changes can never be written; others may
  };
  StoreError(Kind kind_of, const std::string& message) : std::runtime_error(message), kind(kind_of) {}
  const Kind kind;
  bool in_plugin = false;  // blocked: a plugin's statement was, so it may be the goods that are locked
};

struct Ownership {
  std::vector<std::int16_t> lost;
  std::map<std::int16_t, std::int64_t> gained;  // shard -> position to read on behind
};

class Store {
 public:
  /// An open transaction, fenced: it moved the shards' positions, so nobody else writes for them.
  class Work {
   public:
    virtual ~Work() = default;  // rolls back unless committed
    virtual plugins::TxPort& tx() = 0;
    /// Writes, takes these rows of the inbox, and commits. Returns the orders whose saga was not started
    /// because they were seen before.
    virtual std::set<Uuid> commit(const std::vector<Change>& changes, const std::vector<DeadLetter>& parked,
                                  const std::vector<std::int64_t>& taken) = 0;
  };

  virtual ~Store() = default;
  /// Claims, renews, gives back; to be called about once a second.
  virtual Ownership maintain() = 0;
  virtual void release_all() = 0;
  /// After StoreError::lost: nothing is owned until the next maintain().
  virtual void forget() = 0;

  virtual std::vector<LiveSaga> load(const std::vector<std::int16_t>& shards) = 0;
  /// The live sagas of these orders.
  virtual std::vector<LiveSaga> load_orders(const std::vector<Uuid>& order_ids) = 0;
  /// Those of the orders that exist.
  virtual std::map<Uuid, OrderNow> look_up(const std::vector<Uuid>& order_ids) = 0;
  /// Opened payment secrets; nullopt: sealed with another key. An order without one is left out.
  virtual std::map<Uuid, std::optional<std::string>> secrets(const std::vector<Uuid>& order_ids) = 0;
  virtual void save_definition(const std::string& digest, const std::string& name,
                               const std::string& text) = 0;
  virtual std::optional<std::string> definition(const std::string& digest) = 0;
  /// What waits in the inbox for these shards, oldest first: up to `limit` of each part of the place.
  virtual std::vector<InboxItem> inbox(const std::set<std::int16_t>& shards, const InboxPlace& place,
                                       std::size_t limit) = 0;
  /// Names of what is paused: "captures", "plugin:<instance>", others.
  virtual std::set<std::string> switches() = 0;
  /// A bounded part of all orders, and the newest: those that were forgotten. Moves the cursor on.
  virtual std::vector<Forgotten> forgotten(const std::set<std::int16_t>&, ForgottenCursor&) { return {}; }
  virtual void report(const std::vector<PluginStatus>& plugins) = 0;
  virtual std::unique_ptr<Work> begin(const std::map<std::int16_t, std::int64_t>& positions) = 0;
};

}  // namespace orderd::saga
