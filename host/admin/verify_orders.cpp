#include "admin/verify_orders.h"

#include "saga/storage/forgotten.h"

namespace orderd::admin {
namespace {

constexpr std::int64_t orders_per_page = 1000, pages_max = 40;
constexpr std::size_t violations_max = 100;

constexpr store::Statement saga_consumers{
    "verify_saga_consumers",
    "select distinct consumer from positions where consumer = 'saga' or consumer like 'saga@%'"};
constexpr store::Statement shards_of_log{"verify_shards", "select shard from log_shard order by shard"};
constexpr store::Statement ghosts{
    "verify_ghosts",
    "select m.order_id::text, m.version, coalesce(o.version, 0) from (select order_id, version from "
    "orders_read "
    "order by order_id desc limit $1::int8) m left join order_state o on o.id = m.order_id where m.version > "
    "coalesce(o.version, 0) order by 1 limit 100"};

}  // namespace

void judge_open_orders(store::Connection& connection, std::int64_t events_per_shard, Verified& out) {
  std::vector<std::int16_t> shards;
  const auto all = connection.run(shards_of_log);
  for (int i = 0; i < all.size(); ++i) shards.push_back(static_cast<std::int16_t>(all.integer(i, 0)));
  const auto consumers = connection.run(saga_consumers);
  for (int i = 0; i < consumers.size(); ++i) {
    std::vector<saga::Forgotten> found;
    saga::ForgottenCursor before;
    for (std::int64_t page = 0; page < std::min(pages_max, 1 + events_per_shard / orders_per_page); ++page) {
      before = saga::forgotten_page(connection, std::string(consumers.bytes(i, 0)), shards, before,
                                    orders_per_page, found);
      if (!before) break;
    }
    for (const saga::Forgotten& one : found)
      if (out.violations.size() < violations_max)
        out.violations.push_back({1, one.order_id.to_string(),
                                  "open at version " + std::to_string(one.version) +
                                      ", and no saga and no dead letter is there for it"});
  }
}

void judge_ghosts(store::Connection& connection, std::int64_t events_per_shard, Verified& out) {
  const auto rows = connection.run(ghosts, store::Args().int8(events_per_shard));
  for (int i = 0; i < rows.size(); ++i)
    out.violations.push_back(
        {5, std::string(rows.bytes(i, 0)),
         rows.integer(i, 2) == 0
             ? "is in the read model, and there is no such order: `orderctl projection rebuild` mends that"
             : "is at version " + std::to_string(rows.integer(i, 2)) + "; the read model has version " +
                   std::to_string(rows.integer(i, 1)) +
                   ", which the log does not have: `orderctl projection rebuild` mends that"});
}

}  // namespace orderd::admin
