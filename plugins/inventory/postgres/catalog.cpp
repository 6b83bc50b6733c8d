#include "inventory.h"

#include <limits>

namespace inventory {
namespace {

constexpr const char* list_products =
    "select sku, name, unit_price, currency, exponent, on_hand, reserved, sold from inventory.stock "
    "where sku > $1 order by sku limit $2::int8";
constexpr const char* lock_product = "select on_hand from inventory.stock where sku = $1 for no key update";
constexpr const char* add_to_product =
    "update inventory.stock set on_hand = on_hand + $2::int8 where sku = $1";
constexpr const char* write_movement =
    "insert into inventory.stock_movements (sku, kind, quantity) values ($1, $2, $3::int8)";
// New products are made with nothing on hand, so that then all rows are there to be locked, in order of SKU
// as everywhere, and each change of a number is a movement.
constexpr const char* make_products =
    "insert into inventory.stock (sku, name, unit_price, currency, exponent, on_hand) "
    "select sku, '', 0, '', 0, 0 from unnest($1::text[]) u(sku) order by sku on conflict do nothing";
constexpr const char* lock_products =
    "select sku from inventory.stock where sku = any($1::text[]) order by sku for no key update";
constexpr const char* put_products =
    "with wanted as (select * from unnest($1::text[], $2::text[], $3::int8[], $4::text[], $5::int2[], "
    "$6::int8[]) "
    "w(sku, name, unit_price, currency, exponent, on_hand)), "
    "moved as (insert into inventory.stock_movements (sku, kind, quantity) "
    "select w.sku, 'import', w.on_hand - s.on_hand from wanted w join inventory.stock s using (sku) "
    "where w.on_hand <> s.on_hand) "
    "update inventory.stock s set name = w.name, unit_price = w.unit_price, currency = w.currency, exponent "
    "= w.exponent, "
    "on_hand = w.on_hand from wanted w where s.sku = w.sku";

}  // namespace

std::vector<Product> Plugin::list(Transaction& tx, std::string_view after, std::uint32_t limit) {
  const auto rows = tx.exec(list_products, Params().text(after).int8(limit));
  std::vector<Product> products(rows.rows());
  for (std::size_t i = 0; i < products.size(); ++i) {
    Product& product = products[i];
    product.sku = rows.bytes(i, 0);
    product.name = rows.bytes(i, 1);
    product.unit_price.amount = rows.integer(i, 2);
    const auto currency = rows.bytes(i, 3);
    currency.copy(product.unit_price.currency, sizeof product.unit_price.currency - 1);
    product.unit_price.exponent = static_cast<std::uint32_t>(rows.integer(i, 4));
    product.available = rows.integer(i, 5);
    product.held = rows.integer(i, 6);
    product.sold = rows.integer(i, 7);
  }
  return products;
}

bool Plugin::receive(Transaction& tx, std::string_view sku, std::int64_t quantity) {
  const auto row = tx.exec(lock_product, Params().text(sku));
  if (row.rows() == 0) return false;
  const std::int64_t on_hand = row.integer(0, 0);
  if (quantity == 0) return true;
  if (quantity < -on_hand)
    throw orderd::sdk::Refused(std::string(sku) + " has only " + std::to_string(on_hand) +
                               " on hand: " + std::to_string(quantity) + " cannot be booked");
  if (quantity > std::numeric_limits<std::int64_t>::max() - on_hand)
    throw orderd::sdk::Refused(std::string(sku) + ": the number on hand would be too large");
  tx.exec(add_to_product, Params().text(sku).int8(quantity));
  tx.exec(write_movement, Params().text(sku).text(quantity < 0 ? "correct" : "receive").int8(quantity));
  return true;
}

void Plugin::put(Transaction& tx, const std::vector<Product>& products) {
  std::map<std::string, const Product*> by_sku;
  for (const Product& product : products) {
    if (product.sku.empty() || product.available < 0 || product.unit_price.amount < 0)
      throw orderd::sdk::Refused("product \"" + product.sku +
                                 "\": SKU, a price and a number of zero or more are needed");
    if (!by_sku.emplace(product.sku, &product).second)
      throw orderd::sdk::Refused("product " + product.sku + " is there twice");
  }
  std::vector<std::string> skus, names, currencies;
  std::vector<std::int16_t> exponents;
  std::vector<std::int64_t> prices, on_hand;
  for (const auto& [sku, product] : by_sku) {
    skus.push_back(sku);
    names.push_back(product->name);
    prices.push_back(product->unit_price.amount);
    currencies.emplace_back(product->unit_price.currency);
    exponents.push_back(static_cast<std::int16_t>(product->unit_price.exponent));
    on_hand.push_back(product->available);
  }
  if (skus.empty()) return;
  tx.exec(make_products, Params().texts(skus));
  tx.exec(lock_products, Params().texts(skus));
  tx.exec(put_products,
          Params().texts(skus).texts(names).int8s(prices).texts(currencies).int2s(exponents).int8s(on_hand));
}

}  // namespace inventory
