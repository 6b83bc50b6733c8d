// Verbs about products and stock, through the inventory plugin's catalog.
#include <fstream>
#include <iomanip>
#include <iostream>
#include <map>
#include <set>
#include <sstream>

#include "orderctl/given.h"
#include "orderctl/stock_file.h"
#include "plugin_ports/lent_transaction.h"

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
  report.numbers = {"available", "reserved", "sold", "price"};
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

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  if (!file || !(bytes << file.rdbuf()) || file.bad()) throw std::runtime_error("cannot read " + path);
  return bytes.str();
}

/// The products that the lines name, in the catalog's order.
std::vector<plugins::Product> products_of(plugins::CatalogPort& catalog, plugins::TxPort& tx,
                                          const std::vector<StockLine>& lines) {
  constexpr std::uint32_t page = 1000;
  std::set<std::string> named;
  for (const StockLine& line : lines) named.insert(line.sku);
  std::vector<plugins::Product> out;
  std::string after;
  for (;;) {
    auto products = catalog.list(tx, after, page);
    if (!products.empty()) after = products.back().sku;
    const bool last = products.size() < page;
    for (auto& one : products)
      if (named.contains(one.sku)) out.push_back(std::move(one));
    if (last) return out;
  }
}

std::map<std::string, plugins::Product> by_sku(std::vector<plugins::Product> products) {
  std::map<std::string, plugins::Product> out;
  for (auto& one : products) out.emplace(one.sku, one);
  return out;
}

/// Prints what is wrong, and ends the import: nothing has been written.
int refused(const std::string& path, const FileProblems& problems) {
  for (const std::string& line : problems.lines()) std::cerr << "orderctl: " << path << ": " << line << "\n";
  std::cerr << "orderctl: nothing was imported\n";
  return 1;
}

void print_changes(Context& context, const std::vector<StockChange>& changes) {
  store::Report report{{"sku", "change", "available", "becomes", "difference", "reserved", "sold", "price",
                        "currency", "name"},
                       {}};
  report.numbers = {"available", "becomes", "difference", "reserved", "sold", "price"};
  for (const StockChange& one : changes) {
    const auto& to = one.wanted;
    report.rows.push_back({to.sku,
                           one.is_new    ? "new"
                           : one.changed ? "changed"
                                         : "same",
                           std::to_string(one.before), std::to_string(to.available),
                           std::to_string(to.available - one.before), std::to_string(to.held),
                           std::to_string(to.sold), std::to_string(to.unit_price), to.currency, to.name});
  }
  context.print(report);
}

int stock_import(Context& context, const Words& words) {
  const Given given(words, {}, {"--dry-run"});
  if (given.words.size() != 1) throw UsageError("stock import needs FILE");
  const std::string& path = given.words[0];
  FileProblems problems;
  auto lines = read_stock_file(read_file(path), problems);
  if (!problems.none()) return refused(path, problems);
  plugins::CatalogPort& catalog = context.catalog();
  store::UnitOfWork work(context.connection());
  plugins::LentTransaction tx(work);
  const auto known = products_of(catalog, tx, lines);
  auto changes = stock_changes(lines, by_sku(known), problems);
  if (!problems.none()) return refused(path, problems);
  if (given.flag("--dry-run")) return print_changes(context, changes), 0;
  const std::size_t all = lines.size();
  std::set<std::string> moving;
  for (const StockChange& one : changes)
    if (one.changed) moving.insert(one.wanted.sku);
  std::erase_if(lines, [&](const StockLine& line) { return !moving.contains(line.sku); });
  // Nothing is received, but each row is locked from here on, in the order in which orders lock them.
  for (const plugins::Product& one : known)
    if (moving.contains(one.sku)) (void)catalog.receive(tx, one.sku, 0);
  changes = stock_changes(lines, by_sku(products_of(catalog, tx, lines)), problems);
  if (!problems.none()) return refused(path, problems);
  std::vector<plugins::Product> wanted;
  std::int64_t fresh = 0;
  for (StockChange& one : changes) {
    fresh += one.is_new;
    wanted.push_back(std::move(one.wanted));
  }
  if (!wanted.empty()) catalog.put(tx, wanted);
  work.commit();
  std::cout << all << " products imported: " << fresh << " new, "
            << wanted.size() - static_cast<std::size_t>(fresh) << " changed, " << all - wanted.size()
            << " as they were\n";
  return 0;
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
      {"stock import", "FILE [--dry-run]",
       "products and their numbers from a CSV file whose first line names the columns", stock_import},
      {"stock demo", "", "the demo shop's products, if there are none yet", stock_demo},
  };
}

}  // namespace orderd::ctl
