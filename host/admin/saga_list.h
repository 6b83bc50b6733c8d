#pragma once
// Which sagas an operator looks at: lists by filter, and searches. Each answers ids, a page at a time;
// records() tells the rest. Nothing here reads more than live sagas, orders that need a person, or a bounded
// piece of the orders. [the connection's thread]
#include <optional>
#include <string>
#include <vector>

#include "admin/records.h"

namespace orderd::admin {

inline constexpr std::int64_t orders_per_look = 5000;  // that one page of a search reads

struct SagaFilter {
  std::optional<State> state;  // STUCK and `attention`: biggest money at risk first; else oldest first
  bool attention = false;      // only orders that show `attention`, finished ones, too
  std::optional<Time> placed_before;
  std::optional<std::string> step;    // its name in the definition
  std::optional<std::string> plugin;  // the instance that serves the open step
  std::optional<std::string> code;    // of being stuck
};
struct Page {
  std::vector<Uuid> order_ids;
  std::string next;  // where to go on, opaque; "" at the end
};
/// nullopt: `after` is not where a list of this kind can go on.
std::optional<Page> list_sagas(store::Connection& connection, const SagaFilter& filter, const Slots& slots,
                               const std::string& after, int limit);

/// What exactly one of is set.
struct SagaSearch {
  std::optional<std::string> reference;  // the provider's, of live and finished sagas
  std::optional<std::string> sku;        // of any order, newest first
  std::optional<std::pair<std::string, std::string>> metadata;
};
/// A page of SKU and metadata ends after `orders_per_look` orders, so it may be empty and yet have a next.
std::optional<Page> search_sagas(store::Connection& connection, const SagaSearch& search,
                                 const std::string& after, int limit);

}  // namespace orderd::admin
