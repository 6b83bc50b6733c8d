// Verbs about products and stock, through the inventory plugin's catalog.
#include <fstream>
#include <iomanip>
#include <iostream>

#include "orderctl/verbs.h"
#include "plugin_host/lent_transaction.h"

namespace orderd::ctl {
namespace {

int stock_list(Context& context, const Words& words) {
  if (words.size() > 2) throw UsageError("stock list takes AFTER and LIMIT");
  const std::int64_t limit = words.size() > 1 ? number(words[1], "LIMIT") : 100;
  if (limit < 1 || limit > 10'000) throw UsageError("LIMIT is 1 to 10000, not " + words[1]);
  plugins::CatalogPort& catalog = context.catalog();
  store::UnitOfWork work(context.connection());
  plugins::LentTransaction tx(work);
  store::Report report{{"sku", "available", "reserved", "sold", "price", "currency", "name"}, {}};
  for (const auto& product :
       catalog.list(tx, words.empty() ? "" : words[0], static_cast<std::uint32_t>(limit)))
    report.rows.push_back({product.sku, std::to_string(product.available), std::to_string(product.held),
                           std::to_string(product.sold), std::to_string(product.unit_price), product.currency,
                           product.name});
  work.commit();
  context.print(report);
  if (static_cast<std::int64_t>(report.rows.size()) == limit)
    std::cerr << "orderctl: these are the first " << limit << "; `orderctl stock list "
              << report.rows.back()[0] << " " << limit << "` shows what comes after them\n";
  return 0;
}

int stock_receive(Context& context, const Words& words) {
  if (words.size() != 2) throw UsageError("stock receive needs SKU and QUANTITY");
  store::UnitOfWork work(context.connection());
  plugins::LentTransaction tx(work);
  if (!context.catalog().receive(tx, words[0], number(words[1], "QUANTITY"))) {
    std::cerr << "orderctl: there is no product " << words[0] << "; `stock import` makes products\n";
    return 1;
  }
  work.commit();
  std::cout << words[0] << " received " << words[1] << "\n";
  return 0;
}

int put(Context& context, const std::vector<plugins::Product>& products) {
  store::UnitOfWork work(context.connection());
  plugins::LentTransaction tx(work);
  context.catalog().put(tx, products);
  work.commit();
  std::cout << products.size() << " products imported\n";
  return 0;
}

int stock_import(Context& context, const Words& words) {
  if (words.size() != 1) throw UsageError("stock import needs FILE");
  std::ifstream file(words[0]);
  if (!file) throw std::runtime_error("cannot read " + words[0]);
  std::vector<plugins::Product> products;
  int line_number = 0;
  for (std::string line; std::getline(file, line);) {
    ++line_number;
    if (line.empty() || line[0] == '#') continue;
    Words fields{""};
    for (const char c : line)
      if (c == ',' || c == '\t')
        fields.emplace_back();
      else if (c != '\r')
        fields.back().push_back(c);
    if (fields.size() != 5)
      throw std::runtime_error(words[0] + ":" + std::to_string(line_number) +
                               ": needs SKU,NAME,UNIT_PRICE,CURRENCY,ON_HAND");
    products.push_back({fields[0], fields[1], number(fields[2], "UNIT_PRICE"), fields[3], 2,
                        number(fields[4], "ON_HAND"), 0, 0});
  }
  return put(context, products);
}

int stock_demo(Context& context, const Words&) {
  {
    store::UnitOfWork work(context.connection());
    plugins::LentTransaction tx(work);
    const bool any = !context.catalog().list(tx, "", 1).empty();
    work.commit();
    if (any) return std::cout << "there are products already, nothing to do\n", 0;
  }
  static const char* const things[] = {"Teapot",       "Lamp",   "Notebook", "Backpack", "Mug",    "Blanket",
                                       "Bicycle bell", "Kettle", "Pencils",  "Apron",    "Puzzle", "Scarf",
                                       "Basket",       "Candle", "Clock",    "Umbrella"};
  static const char* const looks[] = {"Blue",  "Green",  "Walnut", "Striped", "Small",
                                      "Large", "Enamel", "Linen",  "Red",     "Copper"};
  std::vector<plugins::Product> products;
  for (int i = 1; i <= 1000; ++i) {
    char sku[16];
    std::snprintf(sku, sizeof sku, "SKU-%04d", i);
    const std::string name = std::string(looks[i % 10]) + " " + things[(i * 7) % 16];
    products.push_back({sku, name, 499 + (i * 137) % 9500, "EUR", 2, 1'000'000, 0, 0});
  }
  products.push_back({"SKU-LAST-ONE", "The last one", 4900, "EUR", 2, 1, 0, 0});
  products.push_back({"SKU-SOLD-OUT", "Sold out", 2500, "EUR", 2, 0, 0, 0});
  return put(context, products);
}

}  // namespace

std::vector<Verb> stock_verbs() {
  return {
      {"stock list", "[AFTER [LIMIT]]", "products and their numbers, in order of SKU", stock_list},
      {"stock receive", "SKU QUANTITY", "goods in; negative for a correction", stock_receive},
      {"stock import", "FILE", "lines of SKU,NAME,UNIT_PRICE,CURRENCY,ON_HAND (tab or comma between)",
       stock_import},
      {"stock demo", "", "the demo shop's products, if there are none yet", stock_demo},
  };
}

}  // namespace orderd::ctl
