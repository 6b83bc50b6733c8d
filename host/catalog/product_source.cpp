#include "catalog/product_source.h"

#include <algorithm>
#include <cctype>
#include <chrono>

#include "model/json.h"
#include "plugin_ports/lent_transaction.h"

namespace orderd {
namespace {

constexpr std::uint32_t products_per_read = 500;
constexpr int reads_max = 200;  // a search looks at no more than 100,000 products
/// How much one search reads. What it has found until then is a page, and the next page goes on behind it.
constexpr std::chrono::milliseconds search_time_max{1000};
constexpr store::Statement limit_time{"limit_products", "set local statement_timeout = '2s'"};

bool contains(const std::string& text, const std::string& part) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

void append(std::string& out, const plugins::Product& product) {
  out.append(out.size() > 1 ? "," : "");
  json::Object object(out);
  object.add("sku", product.sku).add("name", product.name).add("unitPrice", product.unit_price);
  object.add("currency", product.currency).add("available", product.available).end();
}

}  // namespace

http::ProductSource product_source(store::Pool& pool, std::vector<plugins::CatalogPort*> catalogs) {
  return [&pool, catalogs = std::move(catalogs)](const http::ProductQuery& query) {
    http::ProductPage page;
    if (catalogs.empty()) return page;
    try {
      auto connection = pool.acquire();
      store::UnitOfWork work(*connection);
      work.run(limit_time);
      plugins::LentTransaction tx(work);
      const auto end = std::chrono::steady_clock::now() + search_time_max;
      std::string out = "[", after = query.after;
      int found = 0;
      for (int read = 0;; ++read) {
        if (read == reads_max || (read > 0 && std::chrono::steady_clock::now() >= end)) {
          page.last = after;
          break;
        }
        const auto products = catalogs.front()->list(
            tx, after,
            query.search.empty() ? static_cast<std::uint32_t>(query.limit + 1) : products_per_read);
        for (const plugins::Product& product : products) {
          const bool wanted = query.search.empty() || contains(product.sku, query.search) ||
                              contains(product.name, query.search);
          if (wanted && found == query.limit) {
            page.last = after;
            page.data_json = out + "]";
            return page;
          }
          after = product.sku;
          if (!wanted) continue;
          append(out, product);
          ++found;
        }
        if (products.size() <
            (query.search.empty() ? static_cast<std::size_t>(query.limit + 1) : products_per_read))
          break;
      }
      work.commit();
      page.data_json = out + "]";
      return page;
    } catch (const plugins::TxError& error) {
      throw store::DbError(error.what(), error.sqlstate(), error.sqlstate().empty());
    }
  };
}

}  // namespace orderd
