// A catalog as a class (catalog.h).
#ifndef ORDERD_SDK_CATALOG_HPP
#define ORDERD_SDK_CATALOG_HPP

#include <orderd/catalog.h>

#include "box.hpp"
#include "transaction.hpp"

namespace orderd::sdk {

struct Product {
  std::string sku, name;
  orderd_money unit_price{};
  std::int64_t available = 0;  // put(): on hand
  std::int64_t held = 0, sold = 0;
};

/// Calls come from several threads at once, each with its own transaction.
class Catalog {
 public:
  virtual ~Catalog() = default;
  /// Up to `limit` products with sku > after ("": from the first), in order of SKU.
  virtual std::vector<Product> list(Transaction& tx, std::string_view after, std::uint32_t limit) = 0;
  /// False for an unknown SKU; throws Refused if the number would fall below zero.
  virtual bool receive(Transaction& tx, std::string_view sku, std::int64_t quantity) = 0;
  virtual void put(Transaction& tx, const std::vector<Product>& products) = 0;
};

template <class T>
struct Tables<T, Catalog> {
  static const void* find(const char* id) {
    static const orderd_catalog_v1 table = {list, receive, put};
    return std::strcmp(id, ORDERD_EXT_CATALOG) == 0 ? &table : nullptr;
  }
  static orderd_status list(orderd_plugin* plugin, orderd_tx* tx, orderd_view after, std::uint32_t limit,
                            const orderd_product_sink* sink, orderd_error* error) {
    return guarded(error, [&] {
      Transaction transaction(Host(Box<T>::of(plugin).host), tx);
      for (const Product& product : self<T>(plugin).list(transaction, text(after), limit)) {
        orderd_product out;
        ORDERD_CLEAR(out);
        out.sku = view(product.sku);
        out.name = view(product.name);
        out.unit_price = product.unit_price;
        out.available = product.available;
        out.held = product.held;
        out.sold = product.sold;
        sink->emit(sink, &out);
      }
    });
  }
  static orderd_status receive(orderd_plugin* plugin, orderd_tx* tx, orderd_view sku, std::int64_t quantity,
                               orderd_error* error) {
    return guarded(error, [&] {
      Transaction transaction(Host(Box<T>::of(plugin).host), tx);
      if (!self<T>(plugin).receive(transaction, text(sku), quantity))
        throw Refused("no product with this SKU", ORDERD_E_NOT_FOUND);
    });
  }
  static orderd_status put(orderd_plugin* plugin, orderd_tx* tx, const orderd_product* const* products,
                           std::uint64_t count, orderd_error* error) {
    return guarded(error, [&] {
      Transaction transaction(Host(Box<T>::of(plugin).host), tx);
      std::vector<Product> copies;
      copies.reserve(static_cast<std::size_t>(count));
      for (std::uint64_t i = 0; i < count; ++i)
        copies.push_back({std::string(text(products[i]->sku)), std::string(text(products[i]->name)),
                          products[i]->unit_price, products[i]->available, 0, 0});
      self<T>(plugin).put(transaction, copies);
    });
  }
};

}  // namespace orderd::sdk
#endif
