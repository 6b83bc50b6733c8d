// The read model: what each event does to it, what comes twice or too early, and that a rebuild gives the
// same.
#include <catch2/catch.hpp>
#include <random>

#include "model/order_json.h"
#include "plugin_ports/lent_transaction.h"
#include "plugins/support/bank.h"

using namespace orderd;
using namespace orderd::plugins::test;
using plugins::ApplyResult;
using plugins::ProjectionTarget;
using Kinds = std::vector<ApplyResult::Kind>;
constexpr auto applied = ApplyResult::Kind::applied, duplicate = ApplyResult::Kind::duplicate,
               gap = ApplyResult::Kind::gap, failed = ApplyResult::Kind::failed;

namespace {

struct Told {
  OrderHead head;
  std::string payload;
};

/// Version n of an order, as the host writes it.
Told told(const Uuid& order, int version, const std::string& customer = "c-1") {
  OrderBody body;
  body.customer_id = customer;
  body.currency = "EUR";
  body.total = 4188;
  body.items = {{1, "SKU-1", 2, 1999}};
  body.adjustments = {{"shipping", "Parcel", 190}};
  body.metadata_json = R"({"cart":"8\"8}f1"})";
  static constexpr Status statuses[] = {Status::pending, Status::payment_authorized,
                                        Status::inventory_reserved, Status::cancelling, Status::rejected};
  Told out;
  out.head.id = order;
  out.head.version = version;
  out.head.type = version == 1 ? EventType::order_created : EventType::payment_updated;
  out.head.at = Time(std::chrono::milliseconds(1'700'000'000'000 + version * 1001));
  out.head.status = statuses[std::min(version, 5) - 1];
  if (version == 4) out.head.reason = Reason{"OUT_OF_STOCK", "there is \"none\""};
  out.head.payment.method = "card";
  out.head.payment.status = version == 1 ? PaymentStatus::none : PaymentStatus::authorized;
  out.head.payment.authorized = version == 1 ? 0 : 4188;
  out.payload = event_payload(out.head, version == 1 ? body_members(body) : "");
  return out;
}

class ReadModel {
 public:
  ReadModel()
      : registry_(options(), {instance("orders_read", "projection_orders_read.so", {})}),
        connection_(database_.connect()) {
    registry_.migrate(connection_);
    registry_.start([](Completion) {});
  }
  ~ReadModel() { registry_.stop(); }

  Kinds apply(const std::vector<Told>& events, ProjectionTarget target = ProjectionTarget::live) {
    std::vector<plugins::ProjectionEvent> batch;
    for (const Told& event : events)
      batch.push_back({event.head.id, event.head.version, event.head.at, name(event.head.type),
                       name(event.head.status), name(event.head.payment.status), event.payload});
    Kinds kinds;
    in_transaction([&](plugins::TxPort& tx) {
      for (const ApplyResult& result : registry_.projections().at(0)->apply(tx, target, batch))
        kinds.push_back(result.kind);
    });
    return kinds;
  }
  template <typename Body>
  void in_transaction(Body body) {
    store::UnitOfWork work(connection_);
    plugins::LentTransaction tx(work);
    body(tx);
    work.commit();
  }
  void begin_rebuild() {
    in_transaction([&](plugins::TxPort& tx) { registry_.projections().at(0)->rebuild_begin(tx); });
  }
  void rebuild(const std::vector<Told>& events, std::size_t batch) {
    auto& port = *registry_.projections().at(0);
    begin_rebuild();
    for (std::size_t i = 0; i < events.size(); i += batch)
      apply({events.begin() + static_cast<std::ptrdiff_t>(i),
             events.begin() + static_cast<std::ptrdiff_t>(std::min(i + batch, events.size()))},
            ProjectionTarget::shadow);
    in_transaction([&](plugins::TxPort& tx) { port.rebuild_finish(tx); });
  }
  std::string row(const Uuid& order, const std::string& columns) {
    return database_.ask("select (" + columns + ")::text from orders_read where order_id = '" +
                         order.to_string() + "'");
  }
  std::string all() {
    return database_.ask("select md5(string_agg(r::text, '|' order by order_id)) from orders_read r");
  }
  Database& database() { return database_; }

 private:
  Database database_;
  plugins::Registry registry_;
  store::Connection connection_;
};

}  // namespace

TEST_CASE("A row is what the order's last event says, with the content of its first") {
  ReadModel model;
  const Uuid order = Uuid::v7();
  const Told created = told(order, 1, "c\u00e9 \"42\"\n");
  CHECK(model.apply({created}) == Kinds{applied});
  CHECK(model.row(order, "version || ' ' || status || ' ' || payment_status || ' ' || reason") ==
        "1 1 1 null");
  const auto from = created.payload.find("\"customerId\":"), to = created.payload.rfind(",\"payment\":");
  CHECK(model.row(order, "members") == created.payload.substr(from, to - from));
  CHECK(model.row(order, "customer_id") == "c\u00e9 \"42\"\n");

  CHECK(model.apply({told(order, 2), told(order, 3), told(order, 4), told(order, 5)}) ==
        Kinds{applied, applied, applied, applied});
  CHECK(model.row(order, "version || ' ' || status || ' ' || payment_status") == "5 7 4");
  CHECK(model.row(order, "reason") == reason_json(told(order, 4).head.reason));  // the last that was told
  CHECK(model.row(order, "payment") == payment_json(told(order, 5).head.payment));
  CHECK(model.row(order,
                  "extract(epoch from created)::numeric(20,3) || ' ' || extract(epoch from "
                  "updated)::numeric(20,3)") == "1700000001.001 1700000005.005");
  CHECK(model.row(order, "members") == created.payload.substr(from, to - from));
}

TEST_CASE("What comes twice changes nothing, inside a batch or between batches") {
  ReadModel model;
  const Uuid a = Uuid::v7(), b = Uuid::v7();
  CHECK(model.apply({told(a, 1), told(a, 1), told(b, 1), told(a, 2), told(a, 1)}) ==
        Kinds{applied, duplicate, applied, applied, duplicate});
  const auto before = model.all();
  CHECK(model.apply({told(a, 1), told(a, 2), told(b, 1)}) == Kinds{duplicate, duplicate, duplicate});
  CHECK(model.all() == before);
  CHECK(model.apply({told(a, 1), told(a, 2), told(a, 3), told(b, 2)}) ==
        Kinds{duplicate, duplicate, applied, applied});
  CHECK(model.row(a, "version") == "3");
  CHECK(model.row(b, "version") == "2");
}

TEST_CASE("What comes too early is a gap, has no effect, and is taken once the missing came") {
  ReadModel model;
  const Uuid a = Uuid::v7(), b = Uuid::v7(), c = Uuid::v7();
  CHECK(model.apply({told(a, 1), told(b, 1), told(a, 3), told(b, 2), told(c, 2)}) ==
        Kinds{applied, applied, gap, applied, gap});
  CHECK(model.row(a, "version") == "1");
  CHECK(model.row(c, "version").empty());
  CHECK(model.apply({told(a, 3), told(a, 4)}) == Kinds{gap, gap});
  CHECK(model.apply({told(c, 1), told(c, 2), told(a, 2), told(a, 3), told(a, 4)}) ==
        Kinds{applied, applied, applied, applied, applied});
  CHECK(model.row(a, "version || ' ' || status") == "4 5");
  CHECK(model.row(c, "version") == "2");
}

TEST_CASE("An event that cannot be read parks its own order only") {
  ReadModel model;
  const Uuid a = Uuid::v7(), b = Uuid::v7();
  Told damaged = told(b, 1);
  damaged.payload = damaged.payload.substr(0, damaged.payload.find(",\"payment\":")) + "}";
  CHECK(model.apply({told(a, 1), damaged, told(a, 2)}) == Kinds{applied, failed, applied});
  CHECK(model.row(a, "version") == "2");
}

TEST_CASE(
    "A rebuild gives the same rows, twice, in batches of any size, and the live table goes on after it") {
  ReadModel model;
  std::mt19937 random(4711);
  std::vector<Uuid> orders;
  for (int i = 0; i < 60; ++i) orders.push_back(Uuid::v7());
  std::vector<int> versions(orders.size(), 0);
  std::vector<Told> events;
  for (int i = 0; i < 400; ++i) {
    const std::size_t which = random() % orders.size();
    events.push_back(told(orders[which], ++versions[which], "c-" + std::to_string(which % 7)));
  }
  for (std::size_t i = 0; i < events.size();) {
    const std::size_t size = std::min<std::size_t>(1 + random() % 50, events.size() - i);
    std::vector<Told> batch(events.begin() + static_cast<std::ptrdiff_t>(i),
                            events.begin() + static_cast<std::ptrdiff_t>(i + size));
    CHECK(model.apply(batch) == Kinds(size, applied));
    i += size;
  }
  const auto live = model.all();
  for (const std::size_t batch : {1024u, 7u}) {
    model.rebuild(events, batch);
    CHECK(model.all() == live);
  }
  CHECK(model.apply({events.front(), told(orders[0], versions[0] + 1)}) == Kinds{duplicate, applied});
  CHECK(model.database().ask("select string_agg(indexname, ' ' order by indexname) from pg_indexes "
                             "where tablename = 'orders_read'") == "orders_read_customer orders_read_pkey");
  CHECK(model.database().ask("select reloptions::text from pg_class where relname = 'orders_read'") ==
        "{fillfactor=60}");
}

TEST_CASE("A rebuild that was broken off starts over, and nothing goes beside without one") {
  ReadModel model;
  const Uuid a = Uuid::v7(), b = Uuid::v7();
  model.apply({told(a, 1), told(a, 2)});
  const auto live = model.all();
  CHECK(model.apply({told(a, 1)}, ProjectionTarget::shadow) == Kinds{failed});
  model.begin_rebuild();
  CHECK(model.apply({told(a, 1), told(b, 1)}, ProjectionTarget::shadow) == Kinds{applied, applied});
  CHECK(model.all() == live);
  model.rebuild({told(a, 1), told(a, 2)}, 1);
  CHECK(model.all() == live);
}
