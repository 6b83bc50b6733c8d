#pragma once
// The inventory plugin on a database of its own, called as the saga engine calls it.
#include <map>
#include <string>
#include <vector>

#include "plugin_host/loading/registry.h"
#include "plugin_ports/lent_transaction.h"
#include "plugins/support/database.h"

namespace orderd::plugins::test {

using Lines = std::vector<std::pair<std::string, std::int64_t>>;

class Warehouse {
 public:
  Warehouse();
  ~Warehouse();

  Database& database() { return database_; }
  StepPort& step() { return step_; }
  CatalogPort& catalog() { return *registry_.catalogs().at(0); }

  /// One transaction with one call; committed.
  std::vector<Outcome> run(const std::vector<Command>& commands);
  Outcome run_one(const std::string& what, const Uuid& order, const Lines& lines = {});
  void put(const std::map<std::string, std::int64_t>& on_hand);
  /// "on_hand reserved sold" of a SKU.
  std::string stock(const std::string& sku);
  /// SKUs whose numbers are not the sum of their movements, or not what the reservations say.
  std::int64_t wrong_skus();

 private:
  Database database_;
  Registry registry_;
  StepPort& step_;
  store::Connection connection_;
};

/// "inventory.<what>".
Command stock_command(const std::string& what, const Uuid& order, const Lines& lines);

}  // namespace orderd::plugins::test
