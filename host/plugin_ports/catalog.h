#pragma once
// An inventory plugin's products, in the host's own terms.
#include <cstdint>
#include <string>
#include <vector>

#include "plugin_ports/tx.h"

namespace orderd::plugins {

struct Product {
  std::string sku, name;
  std::int64_t unit_price = 0;  // minor unit
  std::string currency;
  std::uint8_t exponent = 2;
  std::int64_t available = 0;  // put(): on hand
  std::int64_t held = 0, sold = 0;
};

/// An inventory plugin's catalog. Errors are TxError, with
/// sqlstate_plugin_refused if no statement failed.
class CatalogPort {
 public:
  virtual ~CatalogPort() = default;
  virtual const std::string& instance() const = 0;
  /// Up to `limit` products with sku > after ("": from the first), in order of SKU.
  virtual std::vector<Product> list(TxPort& tx, const std::string& after, std::uint32_t limit) = 0;
  /// Goods in; negative for a correction. False for an unknown SKU.
  [[nodiscard]] virtual bool receive(TxPort& tx, const std::string& sku, std::int64_t quantity) = 0;
  /// Makes or updates products.
  virtual void put(TxPort& tx, const std::vector<Product>& products) = 0;
};

}  // namespace orderd::plugins
