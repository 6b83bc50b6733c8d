#pragma once
// What a provider says unasked. It may be late, doubled or about something that is long over.
#include "saga/core/outcomes.h"

namespace orderd::saga {

class Notices : public Outcomes {
 protected:
  using Outcomes::on;
  using Outcomes::Outcomes;
  void on(const Notice& notice);
  bool concerns(const OpenCommand& open, const Notice& notice) const;
  void ask();
  bool recheck();
  void apply_notice(const Notice& notice);
  void go_on_after_reversal();
  void remember_when(const Notice& notice);
};

}  // namespace orderd::saga
