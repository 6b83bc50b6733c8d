#pragma once
// Which step is next: forward, or back over what has been done.
#include "saga/core/transition.h"

namespace orderd::saga {

class Steps : public Transition {
 protected:
  using Transition::Transition;
  struct CompensationAction {
    std::string action;
    std::int64_t amount = 0;
  };
  void next();
  void next_forward(bool extended);
  void extend();
  void resume_suspended();
  void open(std::int16_t index, bool compensation, std::string action, std::int64_t amount);
  void next_compensation();
  bool compensate(std::int16_t index);
  std::optional<CompensationAction> compensation_action(std::int16_t index) const;
  bool choose_compensation_again();
  void start_compensation(Mode mode, Reason reason);
  bool may_leave() const;
  void abandon();
};

}  // namespace orderd::saga
