#include "plugin_host/calling/lent_call.h"
#include "plugin_host/calling/transactional_ports.h"
#include "plugin_host/calling/translate.h"
#include "plugin_ports/error.h"

namespace orderd::plugins {
namespace {

Product read_product(const orderd_product& given) {
  Product product;
  product.sku = to_text(given.sku);
  product.name = to_text(given.name);
  product.unit_price = given.unit_price.amount;
  product.currency.assign(given.unit_price.currency, strnlen(given.unit_price.currency, 3));
  product.exponent = static_cast<std::uint8_t>(given.unit_price.exponent);
  product.available = given.available;
  product.held = given.held;
  product.sold = given.sold;
  return product;
}

orderd_product to_abi(const Product& product) {
  orderd_product out;
  ORDERD_CLEAR(out);
  out.sku = to_view(product.sku);
  out.name = to_view(product.name);
  out.unit_price.amount = product.unit_price;
  product.currency.copy(out.unit_price.currency, sizeof out.unit_price.currency - 1);
  out.unit_price.exponent = product.exponent;
  out.available = product.available;
  return out;
}

}  // namespace

PluginCatalog::PluginCatalog(Instance& instance) : instance_(instance) {
  if (!table()->list || !table()->receive || !table()->put)
    fail(instance.name(), instance.library().path, "its " ORDERD_EXT_CATALOG " has holes",
         "report it to the plugin's vendor");
}

std::vector<Product> PluginCatalog::list(TxPort& tx, const std::string& after, std::uint32_t limit) {
  struct Collected {
    std::vector<Product> products;
    std::uint32_t limit;
  } collected{{}, limit};
  orderd_product_sink sink;
  sink.sink_data = &collected;
  sink.emit = [](const orderd_product_sink* self, const orderd_product* given) {
    auto& all = *static_cast<Collected*>(self->sink_data);
    if (given && ORDERD_HAS(given, orderd_product, sold) && all.products.size() < all.limit)
      all.products.push_back(read_product(*given));
  };
  throw_if_failed(call_with(instance_, tx, "list", [&](orderd_tx* loan, orderd_error* error) {
    return table()->list(instance_.plugin(), loan, to_view(after), limit, &sink, error);
  }));
  return std::move(collected.products);
}

bool PluginCatalog::receive(TxPort& tx, const std::string& sku, std::int64_t quantity) {
  const LentCall call = call_with(instance_, tx, "receive", [&](orderd_tx* loan, orderd_error* error) {
    return table()->receive(instance_.plugin(), loan, to_view(sku), quantity, error);
  });
  if (call.status == ORDERD_E_NOT_FOUND && !call.sql) return false;
  throw_if_failed(call);
  return true;
}

void PluginCatalog::put(TxPort& tx, const std::vector<Product>& products) {
  std::vector<orderd_product> all;
  all.reserve(products.size());
  std::vector<const orderd_product*> pointers;
  for (const Product& product : products) pointers.push_back(&all.emplace_back(to_abi(product)));
  throw_if_failed(call_with(instance_, tx, "put", [&](orderd_tx* loan, orderd_error* error) {
    return table()->put(instance_.plugin(), loan, pointers.data(), pointers.size(), error);
  }));
}

}  // namespace orderd::plugins
