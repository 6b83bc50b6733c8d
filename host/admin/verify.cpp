#include "admin/verify.h"

#include "admin/verify_orders.h"
#include "base/log.h"
#include "base/metrics.h"

namespace orderd::admin {
namespace {

constexpr std::int64_t events_watched_per_shard = 250;
constexpr std::chrono::seconds watch_every{60};

// Orders with an event among the newest of their shard, and no saga that is still at work on them.
#define SETTLED                                                                                         \
  "with settled as materialized (select distinct e.order_id as id from log_shard l cross join lateral " \
  "(select order_id from order_events where shard = l.shard and pos > l.last - $1::int8) e where not "  \
  "exists "                                                                                             \
  "(select 1 from sagas g where g.order_id = e.order_id)) "

constexpr store::Statement count_settled{"verify_orders", SETTLED "select count(*) from settled"};

// Status numbers are Status', payment's are PaymentStatus' (model/status.h). An order that shows `attention`
// is known to a person, and so is what was left of its money when somebody acknowledged it. Totals never fall
// below those of earlier events, but by what the provider took back by name: both are in the last saga's
// books.
constexpr store::Statement money_and_events{
    "verify_money", SETTLED
    ", seen as (select o.id, o.status, o.version, o.payment_status as pays, o.attention is null as calm, "
    "h.version as last, h.count, p.a, p.c, p.r, p.c - p.r as net, h.a as most_a, "
    "h.c - coalesce((b.j ->> 'capturesFailed')::int8, 0) as most_c, "
    "h.r - coalesce((b.j ->> 'refundsFailed')::int8, 0) as most_r, (b.j ->> 'accepted')::int8 as accepted, "
    "(convert_from(f.payload, 'UTF8')::jsonb ->> 'totalAmount')::int8 as total "
    "from settled s join order_state o on o.id = s.id join order_events f on f.order_id = o.id and "
    "f.version = 1 cross join lateral (select max(e.version) as version, count(*), "
    "max((m.j ->> 'authorized')::int8) as a, max((m.j ->> 'captured')::int8) as c, "
    "max((m.j ->> 'refunded')::int8) as r from order_events e cross join lateral "
    "(select convert_from(e.payload, 'UTF8')::jsonb -> 'payment' as j) m where e.order_id = o.id) h "
    "join order_events n on n.order_id = o.id and n.version = h.version cross join lateral "
    "(select (k.j ->> 'authorized')::int8 as a, (k.j ->> 'captured')::int8 as c, (k.j ->> 'refunded')::int8 "
    "as r from "
    "(select convert_from(n.payload, 'UTF8')::jsonb -> 'payment' as j) k) p "
    "left join lateral (select data -> 'books' as j from saga_journal where order_id = o.id "
    "order by (data ->> 'version')::int4 desc, (data ->> 'seq')::int8 desc, at desc limit 1) b on true) "
    "select v.law, s.id::text, v.what from seen s cross join lateral (values "
    "(4, version <> last or count <> last, 'version ' || version || ' with ' || count || ' events up to ' "
    "|| last), "
    "(2, not (0 <= r and r <= c and c <= a), 'authorized ' || a || ', captured ' || c || ', refunded ' || "
    "r), "
    "(2, status = 4 and calm and net <> total and accepted is distinct from net, 'CONFIRMED, owes ' || total "
    "|| ' and has ' || net), "
    "(2, status in (6, 7) and net <> 0 and accepted is distinct from net, 'over, and ' "
    "|| net || ' are not given back'), "
    "(2, status in (6, 7) and (a < most_a or c < most_c or r < most_r), 'over, and its totals fell: "
    "authorized ' "
    "|| a || ', captured ' || c || ', refunded ' || r || ' after ' || most_a || ', ' || most_c || ', ' || "
    "most_r), "
    "(2, status in (6, 7) and calm and pays in (2, 3, 4, 5, 7, 10), "
    "'over, and its payment is still open (payment status ' || pays || ')')) v(law, broken, what) "
    "where v.broken order by 1, 2 limit 100"};

constexpr store::Statement has_tables{
    "verify_tables",
    "select to_regclass('inventory.stock') is not null and to_regclass('inventory.stock_movements') is not "
    "null and to_regclass('inventory.reservations') is not null, to_regclass('orders_read') is not null"};

// What recent orders and the newest movements touched; the sums are one index range a product.
constexpr store::Statement stock_numbers{
    "verify_stock", SETTLED
    ", touched as materialized (select distinct i ->> 'sku' as sku from settled s join orders o using (id) "
    "cross join lateral jsonb_array_elements(o.body -> 'items') i union select sku from (select sku from "
    "inventory.stock_movements order by id desc limit 1000) m) "
    "select k.sku, k.on_hand, k.reserved, k.sold, m.sum, count(*) over () from touched t "
    "join inventory.stock k using (sku) cross join lateral (select coalesce(sum(quantity), 0)::int8 as sum "
    "from inventory.stock_movements where sku = k.sku) m"};
// reservations.state: 1 reserved, 2 sold, 3 released (plugins/inventory/postgres).
constexpr store::Statement stock_of_orders{
    "verify_reservations", SETTLED
    "select o.id::text, o.status, coalesce(r.state, 0) from settled s join order_state o on o.id = s.id "
    "left join inventory.reservations r on r.subject = o.id::text where o.attention is null and "
    "((o.status = 4 and r.state = any(array[1, 3]::int2[])) or (o.status in (6, 7) and r.state < 3)) "
    "order by 1 limit 100"};

// The read model follows a moment behind; what it lacks after a minute is missing.
constexpr store::Statement read_model{
    "verify_read_model", SETTLED
    "select o.id::text, o.version, coalesce(m.version, 0), o.status, coalesce(m.status, 0::int2) from "
    "settled s join order_state o on o.id = s.id join order_events e on e.order_id = o.id and e.version = "
    "o.version left join orders_read m on m.order_id = o.id where e.at < now() - interval '1 minute' and "
    "(m.version, m.status, m.payment_status) is distinct from (o.version, o.status, o.payment_status) "
    "order by 1 limit 100"};

store::Args of(std::int64_t events) { return std::move(store::Args().int8(events)); }

void judge_stock(store::Connection& connection, std::int64_t events, Verified& out) {
  const auto products = connection.run(stock_numbers, of(events));
  out.products = products.size();
  for (int i = 0; i < products.size(); ++i) {
    const std::int64_t on_hand = products.integer(i, 1), reserved = products.integer(i, 2),
                       sold = products.integer(i, 3), moved = products.integer(i, 4);
    if (on_hand >= 0 && reserved >= 0 && sold >= 0 && on_hand + reserved + sold == moved) continue;
    out.violations.push_back({3, std::string(products.bytes(i, 0)),
                              "on hand " + std::to_string(on_hand) + ", reserved " +
                                  std::to_string(reserved) + ", sold " + std::to_string(sold) +
                                  ", movements " + std::to_string(moved)});
  }
  const auto orders = connection.run(stock_of_orders, of(events));
  for (int i = 0; i < orders.size(); ++i)
    out.violations.push_back({3, std::string(orders.bytes(i, 0)),
                              orders.integer(i, 1) == 4 ? "CONFIRMED, and its goods are not sold"
                                                        : "over, and its goods are still taken"});
}

void judge_read_model(store::Connection& connection, std::int64_t events, Verified& out) {
  const auto rows = connection.run(read_model, of(events));
  for (int i = 0; i < rows.size(); ++i)
    out.violations.push_back({5, std::string(rows.bytes(i, 0)),
                              "is at version " + std::to_string(rows.integer(i, 1)) + ", status " +
                                  std::to_string(rows.integer(i, 3)) + "; the read model has version " +
                                  std::to_string(rows.integer(i, 2)) + ", status " +
                                  std::to_string(rows.integer(i, 4))});
}

}  // namespace

Verified verify(store::Connection& connection, std::int64_t events_per_shard) {
  Verified out;
  out.orders = connection.run(count_settled, of(events_per_shard)).integer(0, 0);
  const auto rows = connection.run(money_and_events, of(events_per_shard));
  for (int i = 0; i < rows.size(); ++i)
    out.violations.push_back(
        {static_cast<int>(rows.integer(i, 0)), std::string(rows.bytes(i, 1)), std::string(rows.bytes(i, 2))});
  judge_open_orders(connection, events_per_shard, out);
  const auto tables = connection.run(has_tables);
  if (tables.boolean(0, 0))
    judge_stock(connection, events_per_shard, out);
  else
    out.left_out.emplace_back("stock: the tables of the inventory plugin for PostgreSQL are not here");
  if (tables.boolean(0, 1)) judge_ghosts(connection, events_per_shard, out);
  if (tables.boolean(0, 1))
    judge_read_model(connection, events_per_shard, out);
  else
    out.left_out.emplace_back("read model: orders_read is not here");
  return out;
}

Watch::Watch(store::ConnectionOptions database)
    : database_(std::move(database)), thread_("verify", [this](const std::stop_token&) { run(); }) {}

Watch::~Watch() {
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
  }
  ended_changed_.notify_all();
  thread_.join();
}

void Watch::run() {
  std::unique_lock lock(mutex_);
  while (!ended_changed_.wait_for(lock, watch_every, [this] { return ended_; })) {
    lock.unlock();
    look();
    lock.lock();
  }
}

void Watch::look() {
  try {
    store::Connection connection(database_);
    const Verified verified = verify(connection, events_watched_per_shard);
    std::map<int, std::int64_t> by_law{{1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 0}};
    for (const Violation& one : verified.violations) {
      if (by_law[one.law]++ == 0)
        log_error("admin", "a law is broken; `orderctl verify` lists all that is found",
                  {{"law", std::to_string(one.law)}, {"subject", one.subject}, {"what", one.what}});
    }
    for (const auto& [law, count] : by_law) {
      const Metrics::Labels labels{{"law", std::to_string(law)}};
      metrics()
          .gauge("orderd_invariant_violations", "Violations of a law among what changed lately", labels)
          .Set(static_cast<double>(count));
    }
  } catch (const store::DbError& error) {
    if (!error.connection_lost) log_warning("admin", "the laws cannot be judged", {{"error", error.what()}});
  }
}

}  // namespace orderd::admin
