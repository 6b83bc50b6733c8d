#pragma once
#include <algorithm>
#include <memory>

#include "outbox/dead_letters.h"
#include "outbox/leases.h"
#include "saga/storage/port.h"
#include "store/connection.h"
#include "store/secret_box.h"

namespace orderd::saga {

/// Sagas in PostgreSQL, on one session of its own that is opened when needed and destroyed when broken. The
/// order of its locks is in host/README.md, why it cannot deadlock in docs/adr/0001.
class PgStore final : public Store {
 public:
  PgStore(store::ConnectionOptions options, outbox::LeaseOptions leases, const store::SecretBox& box)
      : options_(std::move(options)), host_(leases.host), leases_(std::move(leases)), box_(box) {
    options_.lock_timeout_ms = std::min(options_.lock_timeout_ms, lock_timeout_ms);
  }

  Ownership maintain() override;
  void release_all() override;
  void forget() override;
  std::vector<LiveSaga> load(const std::vector<std::int16_t>& shards) override;
  std::vector<LiveSaga> load_orders(const std::vector<Uuid>& order_ids) override;
  std::map<Uuid, OrderNow> look_up(const std::vector<Uuid>& order_ids) override;
  std::map<Uuid, std::optional<std::string>> secrets(const std::vector<Uuid>& order_ids) override;
  void save_definition(const std::string& digest, const std::string& name, const std::string& text) override;
  std::optional<std::string> definition(const std::string& digest) override;
  std::vector<InboxItem> inbox(const std::set<std::int16_t>& shards, const InboxPlace& place,
                               std::size_t limit) override;
  std::set<std::string> switches() override;
  std::vector<Forgotten> forgotten(const std::set<std::int16_t>& shards, ForgottenCursor& cursor) override;
  void report(const std::vector<PluginStatus>& plugins) override;
  std::unique_ptr<Work> begin(const std::map<std::int16_t, std::int64_t>& positions) override;

 private:
  /// One order's locked row keeps all others waiting for as long.
  static constexpr int lock_timeout_ms = 250;
  store::Connection& connection();
  store::ConnectionOptions options_;
  const Uuid host_;
  outbox::Leases leases_;
  const store::SecretBox& box_;
  outbox::LetterCount letters_;
  std::unique_ptr<store::Connection> connection_;
};

}  // namespace orderd::saga
