#include "plugins/support/stock.h"

#include "plugins/support/bank.h"

namespace orderd::plugins::test {

Warehouse::Warehouse()
    : registry_(options(), {instance("stock", "inventory_postgres.so", {})}),
      step_(registry_.step("stock")),
      connection_(database_.connect()) {
  registry_.migrate(connection_);
  registry_.start([](Completion) {});
}

Warehouse::~Warehouse() { registry_.stop(); }

std::vector<Outcome> Warehouse::run(const std::vector<Command>& commands) {
  store::UnitOfWork work(connection_);
  LentTransaction tx(work);
  auto outcomes = step_.execute_in(tx, commands);
  work.commit();
  return outcomes;
}

Outcome Warehouse::run_one(const std::string& what, const Uuid& order, const Lines& lines) {
  return run({stock_command(what, order, lines)}).front();
}

void Warehouse::put(const std::map<std::string, std::int64_t>& on_hand) {
  std::vector<Product> products;
  for (const auto& [sku, number] : on_hand)
    products.push_back({sku, "Name of " + sku, 1999, "EUR", 2, number, 0, 0});
  store::UnitOfWork work(connection_);
  LentTransaction tx(work);
  catalog().put(tx, products);
  work.commit();
}

std::string Warehouse::stock(const std::string& sku) {
  return database_.ask("select on_hand || ' ' || reserved || ' ' || sold from inventory.stock where sku = '" +
                       sku + "'");
}

std::int64_t Warehouse::wrong_skus() {
  return database_.count(R"(
    with held as (
      select m[3] sku, sum(m[1]::bigint) filter (where state = 1) reserved,
             sum(m[1]::bigint) filter (where state = 2) sold
      from inventory.reservations, regexp_matches(lines, '(\d+):(\d+):(SKU-\d)', 'g') m group by 1),
    moved as (select sku, sum(quantity) total from inventory.stock_movements group by 1)
    select count(*) from inventory.stock s left join held using (sku) left join moved using (sku)
    where s.reserved <> coalesce(held.reserved, 0) or s.sold <> coalesce(held.sold, 0)
       or s.on_hand + s.reserved + s.sold <> coalesce(moved.total, 0) or s.on_hand < 0)");
}

Command stock_command(const std::string& what, const Uuid& order, const Lines& lines) {
  Command command;
  command.order_id = order;
  command.subject = order.to_string();
  command.key = command.subject + "." + what;
  command.action = "inventory." + what;
  command.deadline = now() + std::chrono::seconds(30);
  std::uint32_t line_id = 0;
  for (const auto& [sku, quantity] : lines) command.lines.push_back({++line_id, sku, quantity, 1999});
  return command;
}

}  // namespace orderd::plugins::test
