#pragma once
// Which instance of a plugin serves a new order. An operator's rules for a slot, in order; the first that
// fits decides, and an order keeps what was chosen:
//
//   route.payment.10 = stripe-eu, stripe-us when currency = EUR|CHF and amount >= 1000
//   route.payment.20 = adyen when method = ideal
//   route.payment.30 = trial when percent = 5
//
// A rule's second instance is for when the first one's provider cannot be reached. Conditions: method,
// currency, customer and metadata.<key> with `=` and one or more values parted by `|`; amount (minor unit)
// with <, <=, >, >=; percent, of all orders, evenly by their ids. No rule fits: slot.<slot>, or its namesake.
#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "model/order.h"

namespace orderd::saga {

/// One line: key, and what was expected.
class RouteError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Condition {
  enum class Kind { one_of, less, at_most, more, at_least, percent };
  std::string field;  // "method", "currency", "customer", "amount", "metadata.country", "percent"
  Kind kind = Kind::one_of;
  std::set<std::string> values{};
  std::int64_t number = 0;
};

struct Rule {
  std::string key;                     // "route.payment.10"
  std::vector<std::string> instances;  // the first that can be reached
  std::vector<Condition> when;         // all of them
  std::string text;                    // as written
};

/// By slot, in the order of their numbers.
using Routes = std::map<std::string, std::vector<Rule>>;

/// From `route.<slot>.<number>` without "route.". Throws RouteError.
Routes parse_routes(const std::map<std::string, std::string>& settings);
/// "" if the rule fits, else the condition that does not, for people.
std::string misfit(const Rule& rule, const Uuid& order_id, const OrderBody& body);
/// The instance that serves the slot: `standard` if no rule fits. Of a rule's instances the first that is not
/// in `broken`; all of them broken: the first.
std::string route(const std::vector<Rule>& rules, const std::string& standard, const Uuid& order_id,
                  const OrderBody& body, const std::set<std::string>& broken);

}  // namespace orderd::saga
