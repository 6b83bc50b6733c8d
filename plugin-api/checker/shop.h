#pragma once
// What an order of a shop brings along and a plugin may need: buyer, addresses, metadata. Options of both
// tools.
#include <orderd/testing.hpp>

#include <map>
#include <string>

namespace orderd::checker {

struct Shop {
  std::string token = "tok_ok";  // of a payment that is to succeed
  std::string method = "card";
  std::string customer;                        // "" leaves the one that commands have by themselves
  std::string metadata;                        // an order's, a JSON object; "" for none
  std::map<std::string, std::string> secrets;  // members of secret_json beside the token: name, JSON

  static constexpr const char* usage =
      R"(  --token TOKEN       a payment token that the plugin accepts (tok_ok)
  --method METHOD     the payment method (card)
  --customer ID       the customer's id (c-42)
  --buyer JSON        what a provider asks of the buyer: {"email":"a@example.com","ip":"192.0.2.1"}
  --secret NAME=JSON  a member of secret_json beside the token: 'returnUrl="https://shop.example/"',
                      'shippingAddress={"country":"DE"}' (again for more)
  --metadata JSON     the order's metadata: {"channel":"web"}
)";

  /// Takes one of the options above; false if it is another one. Throws std::runtime_error for a value that
  /// makes no sense.
  bool take(const std::string& option, const std::string& value);
  /// Puts all of it into a command.
  void complete(testing::CommandSpec& spec, const std::string& with_token) const;
  void complete(testing::CommandSpec& spec) const { complete(spec, token); }
};

}  // namespace orderd::checker
