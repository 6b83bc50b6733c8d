#pragma once
// The file of `orderctl stock import`: products, and how many there are. Pure.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "orderctl/csv.h"
#include "plugin_ports/catalog.h"

namespace orderd::ctl {

/// One product, as the file has it.
struct StockLine {
  std::string sku, name, currency;
  std::uint8_t exponent = 2;    // digits of the currency
  std::int64_t unit_price = 0;  // minor unit
  bool counted = false;         // `pieces` were counted on the shelf; else they can be promised
  std::int64_t pieces = 0;
  std::int64_t unshipped = 0;  // of those counted: sold, and not yet sent
  Place at;                    // of the number of pieces
};

/// Each line is judged; with problems there are no lines. The first line names the columns, in any order:
///   SKU, NAME, CURRENCY (ISO 4217);
///   UNIT_PRICE (whole number, minor unit: 1999) or PRICE (19.99);
///   AVAILABLE (pieces that can be promised), or COUNTED (pieces on the shelf, reserved and sold ones
///   included) with UNSHIPPED (how many of them are sold and still there).
/// A file without such a line, and one with the column ON_HAND of older versions, is refused.
std::vector<StockLine> read_stock_file(std::string_view bytes, FileProblems& problems);

/// What an import does to one product.
struct StockChange {
  plugins::Product wanted;  // `available`: afterwards
  std::int64_t before = 0;  // available before
  bool is_new = false, changed = false;
};

/// `known`: the products as they are, by SKU; those that are missing are made. Pieces that were counted are
/// available as far as they are neither reserved nor sold; fewer than those is a problem, for they are
/// promised.
std::vector<StockChange> stock_changes(const std::vector<StockLine>& lines,
                                       const std::map<std::string, plugins::Product>& known,
                                       FileProblems& problems);

}  // namespace orderd::ctl
