// orderctl: what an operator does from a shell. Each verb is a function; main picks one.
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <fstream>
#include <functional>
#include <iomanip>
#include <iostream>
#include <map>

#include "config/settings.h"
#include "plugin_host/lent_transaction.h"
#include "projection/projector.h"
#include "store/migrations.h"
#include "store/report.h"
#include "wiring.h"

extern char** environ;

namespace {

using namespace orderd;
using Words = std::vector<std::string>;

constexpr const char* usage_text = R"(usage: orderctl --config=FILE VERB ...

  migrate                        bring the schema of host and plugins up to date
  stock list [AFTER [LIMIT]]     products and their numbers, in order of SKU
  stock receive SKU QUANTITY     goods in; negative for a correction
  stock import FILE              lines of SKU,NAME,UNIT_PRICE,CURRENCY,ON_HAND (tab or comma between)
  stock demo                     the demo shop's products, if there are none yet
  projection rebuild [INSTANCE]  build the read model again from the events, beside the live one, then switch
  sagas                          orders that are not at their end, stuck ones first
  parked                         events that a consumer could not take, and why
  help, version

  -o json                        sagas, parked: one JSON array instead of a table
)";

/// The words do not make a verb; what() says which.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Context {
  config::Settings settings;
  std::unique_ptr<plugins::Registry> registry;
  std::unique_ptr<store::Connection> connection;

  explicit Context(const std::string& file)
      : settings(config::from_values(config::read_values(file, environ))) {
    registry = load_plugins(settings, default_definition(settings));
    connection = std::make_unique<store::Connection>(database(settings));
  }
  plugins::CatalogPort& catalog() {
    const auto catalogs = registry->catalogs();
    if (catalogs.empty())
      throw std::runtime_error("no plugin here has a catalog: configure an inventory plugin");
    return *catalogs.front();
  }
};

int migrate(Context& context, const Words&) {
  for (const auto& one : store::migrate(*context.connection, "orderd", store::host_migrations()))
    std::cout << "applied " << one.name << "\n";
  context.registry->migrate(*context.connection);
  std::cout << "schema is up to date\n";
  return 0;
}

std::int64_t number(const std::string& text, const std::string& what) {
  std::size_t used = 0;
  std::int64_t value = 0;
  try {
    value = std::stoll(text, &used);
  } catch (const std::exception&) { used = 0; }
  if (used != text.size() || text.empty()) throw UsageError(what + " must be a whole number, not " + text);
  return value;
}

int stock_list(Context& context, const Words& words) {
  store::UnitOfWork work(*context.connection);
  plugins::LentTransaction tx(work);
  const auto limit = words.size() > 1 ? static_cast<std::uint32_t>(number(words[1], "LIMIT")) : 100u;
  std::cout << std::left << std::setw(20) << "SKU" << std::right << std::setw(12) << "AVAILABLE"
            << std::setw(12) << "RESERVED" << std::setw(12) << "SOLD" << std::setw(12) << "PRICE"
            << "  NAME\n";
  for (const auto& product : context.catalog().list(tx, words.empty() ? "" : words[0], limit))
    std::cout << std::left << std::setw(20) << product.sku << std::right << std::setw(12) << product.available
              << std::setw(12) << product.held << std::setw(12) << product.sold << std::setw(8)
              << product.unit_price << " " << product.currency << "  " << product.name << "\n";
  work.commit();
  return 0;
}

int stock_receive(Context& context, const Words& words) {
  if (words.size() != 2) throw UsageError("stock receive needs SKU and QUANTITY");
  store::UnitOfWork work(*context.connection);
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
  store::UnitOfWork work(*context.connection);
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
    store::UnitOfWork work(*context.connection);
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

int projection_rebuild(Context& context, const Words& words) {
  for (plugins::ProjectionPort* port : context.registry->projections()) {
    if (!words.empty() && port->instance() != words[0]) continue;
    const auto consumer = consumer_name(context.settings, "projection:" + port->instance());
    projection::rebuild(*context.connection, consumer, *port, [](std::int64_t count) {
      std::cerr << "\r" << count << " events applied" << std::flush;
    });
    std::cerr << "\n";
    std::cout << port->instance() << " is rebuilt\n";
    return 0;
  }
  throw UsageError(words.empty() ? "no projection is configured" : "there is no projection " + words[0]);
}

int print(const store::Report& report, const Words& words) {
  if (words == Words{"-o", "json"}) {
    Poco::JSON::Array array;
    for (const auto& row : report.rows) {
      Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
      for (std::size_t i = 0; i < row.size(); ++i) object.set(report.columns[i], row[i]);
      array.add(object);
    }
    array.stringify(std::cout, 2);
    return std::cout << "\n", 0;
  }
  if (!words.empty()) throw UsageError("only -o json may follow");
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < report.columns.size(); ++i) {
    widths.push_back(report.columns[i].size());
    for (const auto& row : report.rows) widths[i] = std::max(widths[i], row[i].size());
  }
  const auto line = [&](const std::vector<std::string>& values) {
    for (std::size_t i = 0; i < values.size(); ++i)
      std::cout << std::left << std::setw(static_cast<int>(widths[i]) + 2) << values[i];
    std::cout << "\n";
  };
  line(report.columns);
  for (const auto& row : report.rows) line(row);
  return 0;
}

int sagas(Context& context, const Words& words) {
  static const std::string sql =
      "select g.order_id::text as order_id, g.data ->> 'status' as status, "
      "coalesce(g.data #>> '{open,action}', '') as doing, coalesce(g.data #>> '{open,attempt}', '') as "
      "attempt, "
      "coalesce(g.wake::text, '') as wakes, coalesce(g.data #>> '{stuck,code}', '') as stuck, "
      "coalesce(g.data #>> '{stuck,message}', '') as why from sagas g join order_state s on s.id = "
      "g.order_id "
      "order by g.data -> 'stuck' is null, g.order_id limit 1000";
  return print(store::read_report(database(context.settings), sql), words);
}

int parked(Context& context, const Words& words) {
  static const std::string sql =
      "select consumer, order_id::text as order_id, from_version::text as version, at::text, reason from "
      "parked "
      "order by at limit 1000";
  return print(store::read_report(database(context.settings), sql), words);
}

const std::map<std::string, std::function<int(Context&, const Words&)>> verbs{
    {"sagas", sagas},
    {"parked", parked},

    {"migrate", migrate},
    {"stock list", stock_list},
    {"stock receive", stock_receive},
    {"stock import", stock_import},
    {"stock demo", stock_demo},
    {"projection rebuild", projection_rebuild}};

int run(Words words) {
  std::string file;
  if (!words.empty() && words[0].rfind("--config=", 0) == 0) {
    file = words[0].substr(9);
    words.erase(words.begin());
  }
  if (words.empty() || words[0] == "help" || words[0] == "--help") return std::cout << usage_text, 0;
  if (words[0] == "version" || words[0] == "--version") return std::cout << "orderctl " << version << "\n", 0;
  std::string verb = words[0];
  words.erase(words.begin());
  if (!verbs.contains(verb) && !words.empty()) {
    verb += " " + words[0];
    words.erase(words.begin());
  }
  const auto found = verbs.find(verb);
  if (found == verbs.end()) throw UsageError("there is no verb " + verb);
  Context context(file);
  return found->second(context, words);
}

}  // namespace

int main(int count, char** values) {
  try {
    return run(Words(values + 1, values + count));
  } catch (const UsageError& error) {
    std::cerr << "orderctl: " << error.what() << "; `orderctl help` lists the verbs\n";
    return 64;  // EX_USAGE
  } catch (const config::ConfigError& error) {
    std::cerr << "orderctl: " << error.what() << "\n";
    return 78;  // EX_CONFIG
  } catch (const std::exception& error) {
    std::cerr << "orderctl: " << error.what() << "\n";
    return 1;
  }
}
