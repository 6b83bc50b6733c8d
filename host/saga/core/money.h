#pragma once
// What a provider reports, beside what the saga knows and what a person decided (books.h): what of it is
// believed, and what follows from money that came or went.
#include "saga/core/steps.h"

namespace orderd::saga {

class Money : public Steps {
 protected:
  using Steps::Steps;
  void learn(const Outcome& outcome, const std::string& digest);
  void believe_refusal(const Outcome& outcome);
  bool denies_the_past(const Outcome& outcome) const;
  bool contradicts_itself(const Outcome& outcome) const;
  bool contradicts_person(const PaymentTotals& totals, std::optional<Time> occurred) const;
  bool taken_back(const PaymentTotals& totals);
  void differ(const PaymentTotals& totals, Reason reason);
  void reconsider(bool reversed);
};

}  // namespace orderd::saga
