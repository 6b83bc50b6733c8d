#pragma once
// Stock in the host's own PostgreSQL, changed inside the saga's transaction: a reservation and the saga that
// asked for it are committed together or not at all.
//
// Three tables, schema `inventory`:
//   stock            one row a SKU: on_hand (can be promised), reserved, sold; none below zero
//   stock_movements  goods in and corrections; for each SKU their sum is on_hand + reserved + sold
//   reservations     one row an order, for ever: what makes every command idempotent, and a release of
//   something that never
//                    happened block a reserve that comes later
#include <orderd/plugin.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace inventory {

using orderd::sdk::InventoryCommand;
using orderd::sdk::Outcome;
using orderd::sdk::Params;
using orderd::sdk::Product;
using orderd::sdk::Transaction;

/// Stored; never reuse a number.
enum class ReservationState : std::int16_t { reserved = 1, sold = 2, released = 3 };

using Lines = std::map<std::string, std::int64_t>;  // quantity by SKU

struct Reservation {
  ReservationState state = ReservationState::reserved;
  Lines lines;
  ReservationState stored{};  // as it was read; 0: it is new
  bool changed = false;
};

/// As they are stored: "2:8:SKU-0001" a line, quantity, length of the SKU, SKU, one behind the other.
std::string to_text(const Lines& lines);
/// Throws for a text that is damaged.
Lines to_lines(std::string_view text);

/// What one transaction does, decided in memory while the rows are locked.
struct Stock {
  std::int64_t on_hand = 0, reserved = 0, sold = 0;
};
struct Books {
  std::map<std::string, Stock> stock, before;
  std::map<std::string, std::int64_t> available;    // of the SKUs that availability asks for
  std::map<std::string, Reservation> reservations;  // by subject
};

/// Pure: one command on the books.
Outcome apply(Books& books, const InventoryCommand& command);

class Plugin final : public orderd::sdk::InventoryBackend,
                     public orderd::sdk::Catalog,
                     public orderd::sdk::Migrations {
 public:
  explicit Plugin(orderd::sdk::Host host) { host.refuse_unknown_settings({}); }

  using InventoryBackend::execute;
  std::vector<Outcome> execute(Transaction& tx, const std::vector<InventoryCommand>& commands) override;

  std::vector<Product> list(Transaction& tx, std::string_view after, std::uint32_t limit) override;
  bool receive(Transaction& tx, std::string_view sku, std::int64_t quantity) override;
  void put(Transaction& tx, const std::vector<Product>& products) override;

  const std::vector<orderd_migration>& migrations() const override;
};

}  // namespace inventory
