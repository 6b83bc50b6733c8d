#include "shop.h"

#include <orderd/json.hpp>
#include <stdexcept>

namespace orderd::checker {
namespace {

std::string object(const std::string& option, const std::string& text) {
  const auto value = sdk::Json::parse(text);
  if (value && value->kind() == sdk::Json::Kind::object) return text;
  throw std::runtime_error(option + " takes a JSON object, not " + text);
}

}  // namespace

bool Shop::take(const std::string& option, const std::string& value) {
  if (option == "--token")
    token = value;
  else if (option == "--method")
    method = value;
  else if (option == "--customer")
    customer = value;
  else if (option == "--metadata")
    metadata = object(option, value);
  else if (option == "--buyer")
    secrets["buyer"] = object(option, value);
  else if (option == "--secret") {
    const std::size_t equals = value.find('=');
    if (equals == std::string::npos || equals == 0 || !sdk::Json::parse(value.substr(equals + 1)))
      throw std::runtime_error("--secret takes NAME=JSON, a text in its quotes, not " + value);
    secrets[value.substr(0, equals)] = value.substr(equals + 1);
  } else
    return false;
  return true;
}

void Shop::complete(testing::CommandSpec& spec, const std::string& with_token) const {
  if (!customer.empty()) spec.customer_id = customer;
  if (!metadata.empty()) spec.details_json = sdk::JsonWriter().raw("metadata", metadata).text();
  if (spec.action != "payment.authorize") return;
  sdk::JsonWriter secret;
  secret.add("token", with_token);
  for (const auto& [name, value] : secrets) secret.raw(name, value);
  spec.secret_json = secret.text();
}

}  // namespace orderd::checker
