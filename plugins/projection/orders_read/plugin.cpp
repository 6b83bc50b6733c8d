#include "fold.h"

namespace orders_read {
namespace {

using orderd::sdk::Params;
using orderd::sdk::Result;
using orderd::sdk::Target;
using orderd::sdk::Transaction;

constexpr const char* table_sql = R"(
create table if not exists orders_read (
  order_id uuid primary key,
  version int not null,
  status smallint not null,
  payment_status smallint not null,
  customer_id text not null,
  members text not null,
  payment text not null,
  reason text not null,
  created timestamptz not null,
  updated timestamptz not null
) with (fillfactor = 60);
create index if not exists orders_read_customer on orders_read (customer_id, order_id);
)";

// Live and shadow have the same statements on different tables.
struct Statements {
  const char *insert, *update, *versions;
};

#define ORDERS_READ_STATEMENTS(table)                                                                     \
  {                                                                                                       \
    "insert into " table                                                                                  \
    " (order_id, version, status, payment_status, customer_id, members, payment, reason, created, "       \
    "updated) select i, v, s, p, c, m, y, coalesce(nullif(r, ''), 'null'), a, u from unnest($1::uuid[], " \
    "$2::int4[], "                                                                                        \
    "$3::int2[], $4::int2[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[], "         \
    "$10::timestamptz[]) "                                                                                \
    "x(i, v, s, p, c, m, y, r, a, u) on conflict do nothing returning order_id",                          \
        "update " table                                                                                   \
        " r set version = u.v, status = u.s, payment_status = u.p, payment = u.y, "                       \
        "reason = case when u.r = '' then r.reason else u.r end, updated = u.a "                          \
        "from unnest($1::uuid[], $2::int4[], $3::int2[], $4::int2[], $5::text[], $6::text[], "            \
        "$7::timestamptz[], $8::int4[]) "                                                                 \
        "u(i, v, s, p, y, r, a, f) where r.order_id = u.i and r.version = u.f returning r.order_id",      \
        "select order_id, version from " table " where order_id = any($1::uuid[])"                        \
  }
constexpr Statements live_statements ORDERS_READ_STATEMENTS("orders_read");
constexpr Statements shadow_statements ORDERS_READ_STATEMENTS("orders_read_shadow");

struct Less {
  bool operator()(const orderd_uuid& a, const orderd_uuid& b) const {
    return std::memcmp(a.bytes, b.bytes, sizeof a.bytes) < 0;
  }
};
using Written = std::map<orderd_uuid, bool, Less>;

Result insert(Transaction& tx, const Statements& sql, const std::vector<const Folded*>& orders) {
  std::vector<orderd_uuid> ids;
  std::vector<std::int32_t> versions;
  std::vector<std::int16_t> statuses, payment_statuses;
  std::vector<std::string_view> customers, members, payments, reasons;
  std::vector<std::int64_t> created, updated;
  for (const Folded* order : orders) {
    ids.push_back(order->id);
    versions.push_back(order->last);
    statuses.push_back(order->status);
    payment_statuses.push_back(order->payment_status);
    customers.push_back(order->customer_id);
    members.push_back(order->members);
    payments.push_back(order->payment);
    reasons.push_back(order->reason);
    created.push_back(order->created_ms);
    updated.push_back(order->updated_ms);
  }
  return tx.exec(sql.insert, Params()
                                 .uuids(ids)
                                 .int4s(versions)
                                 .int2s(statuses)
                                 .int2s(payment_statuses)
                                 .texts(customers)
                                 .texts(members)
                                 .texts(payments)
                                 .texts(reasons)
                                 .timestamptzs(created)
                                 .timestamptzs(updated));
}

Result update(Transaction& tx, const Statements& sql, const std::vector<const Folded*>& orders) {
  std::vector<orderd_uuid> ids;
  std::vector<std::int32_t> versions, from;
  std::vector<std::int16_t> statuses, payment_statuses;
  std::vector<std::string_view> payments, reasons;
  std::vector<std::int64_t> updated;
  for (const Folded* order : orders) {
    ids.push_back(order->id);
    versions.push_back(order->last);
    from.push_back(order->first - 1);
    statuses.push_back(order->status);
    payment_statuses.push_back(order->payment_status);
    payments.push_back(order->payment);
    reasons.push_back(order->reason);
    updated.push_back(order->updated_ms);
  }
  return tx.exec(sql.update, Params()
                                 .uuids(ids)
                                 .int4s(versions)
                                 .int2s(statuses)
                                 .int2s(payment_statuses)
                                 .texts(payments)
                                 .texts(reasons)
                                 .timestamptzs(updated)
                                 .int4s(from));
}

class Plugin final : public orderd::sdk::Projection, public orderd::sdk::Migrations {
 public:
  explicit Plugin(orderd::sdk::Host host) { host.refuse_unknown_settings({}); }

  std::vector<Verdict> apply(Transaction& tx, Target target, const std::vector<EventView>& events) override {
    const Statements& sql = target == Target::live ? live_statements : shadow_statements;
    std::vector<Verdict> verdicts(events.size(), Verdict::applied);
    const std::vector<Folded> orders = fold(events, verdicts);
    std::vector<const Folded*> placed, changed, short_of;
    for (const Folded& order : orders) (order.first == 1 ? placed : changed).push_back(&order);
    const auto write = [&](const std::vector<const Folded*>& some, auto statement) {
      if (some.empty()) return;
      const Result rows = statement(tx, sql, some);
      Written written;
      for (std::size_t i = 0; i < rows.rows(); ++i) written[rows.uuid(i, 0)] = true;
      for (const Folded* order : some)
        if (!written.count(order->id)) short_of.push_back(order);
    };
    write(placed, insert);
    write(changed, update);
    if (!short_of.empty()) explain(tx, sql, events, short_of, verdicts);
    return verdicts;
  }

  void rebuild_begin(Transaction& tx) override {
    tx.exec("drop table if exists orders_read_shadow");
    tx.exec(
        "create table orders_read_shadow (like orders_read including defaults including storage) with "
        "(fillfactor = 60)");
    tx.exec("alter table orders_read_shadow add constraint orders_read_shadow_pkey primary key (order_id)");
    tx.exec("create index orders_read_shadow_customer on orders_read_shadow (customer_id, order_id)");
  }
  void rebuild_finish(Transaction& tx) override {
    tx.exec("drop table orders_read");
    tx.exec("alter table orders_read_shadow rename to orders_read");
    // The next rebuild wants the shadow's names again.
    tx.exec("alter index orders_read_shadow_pkey rename to orders_read_pkey");
    tx.exec("alter index orders_read_shadow_customer rename to orders_read_customer");
  }

  const std::vector<orderd_migration>& migrations() const override {
    static const std::vector<orderd_migration> all{{1, 0, "orders_read", table_sql}};
    return all;
  }

 private:
  /// The row is not at the version before the batch's: events up to the row's version are duplicates, the
  /// next one is taken alone with what follows, and what lies beyond is a gap.
  void explain(Transaction& tx, const Statements& sql, const std::vector<EventView>& events,
               const std::vector<const Folded*>& orders, std::vector<Verdict>& verdicts) {
    std::vector<orderd_uuid> ids;
    for (const Folded* order : orders) ids.push_back(order->id);
    std::map<orderd_uuid, std::int32_t, Less> have;
    const Result rows = tx.exec(sql.versions, Params().uuids(ids));
    for (std::size_t i = 0; i < rows.rows(); ++i)
      have[rows.uuid(i, 0)] = static_cast<std::int32_t>(rows.integer(i, 1));
    for (const Folded* order : orders) {
      const std::int32_t version = have.count(order->id) ? have[order->id] : 0;
      std::vector<EventView> rest;
      for (const std::size_t i : order->events) {
        verdicts[i] = events[i].version() <= version ? Verdict::duplicate : Verdict::gap;
        if (events[i].version() > version) rest.push_back(events[i]);
      }
      if (rest.empty() || rest.front().version() != version + 1) continue;
      std::vector<Verdict> again(rest.size(), Verdict::applied);
      const auto folded = fold(rest, again);
      const Result written =
          version == 0 ? insert(tx, sql, {&folded.front()}) : update(tx, sql, {&folded.front()});
      if (written.rows() != 1) throw orderd::sdk::Refused("a row of orders_read changed meanwhile");
      for (const std::size_t i : order->events)
        if (events[i].version() > version) verdicts[i] = Verdict::applied;
    }
  }
};

}  // namespace
}  // namespace orders_read

ORDERD_PLUGIN(orders_read::Plugin, "projection-orders-read", "1.0.0", "orderd")
