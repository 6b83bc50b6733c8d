#pragma once
// What an error of Stripe's means for money. Pure.
#include <orderd/outcome.hpp>

#include "api.h"

namespace stripe {

/// The error object of an answer, or of a payment intent (`last_payment_error`).
struct Failure {
  std::string type, code, decline_code, message;
  bool empty() const { return type.empty() && code.empty() && message.empty(); }
};
Failure read_failure(const Json& error);

/// A card, or its bank, said no.
orderd::sdk::Outcome declined_by_bank(const Failure& failure);

/// The outcome of a request that was not answered with 2xx.
orderd::sdk::Outcome outcome_of_failure(const Answer& answer);
/// Whether it is the operator who has to do something: a key that is wrong, or may not do this.
bool is_operators(const orderd::sdk::Outcome& outcome);

}  // namespace stripe
