#pragma once
// What became of a call, what a time that has come means, and what follows.
#include "saga/core/money.h"

namespace orderd::saga {

class Outcomes : public Money {
 protected:
  using Money::Money;
  void on(const Begin&) { next(); }
  void on(const Answer& answer);
  void on(const Cancel& cancel);
  void on(const Due&);
  void on(const TakenOver&);
  bool tells_too_little(const Outcome& outcome) const;
  void rechecked(const Outcome& outcome);
  void query_answered(const Outcome& outcome);
  void apply(const Outcome& outcome);
  void contradicted(const Outcome& outcome);
  void done(const Outcome& outcome);
  void hold(const Outcome& outcome);
  void extended(const Outcome& outcome);
  void declined(std::string code, std::string message);
  std::string what(const OpenCommand& open) const;
  void gave_up(const std::string& code = {});
  void retry(const Outcome& outcome);
  void pending(const Outcome& outcome);
  void expired();
  void unknown(const Outcome& outcome);
};

}  // namespace orderd::saga
