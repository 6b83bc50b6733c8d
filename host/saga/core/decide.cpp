#include "saga/core/decide.h"

#include <algorithm>

#include "saga/core/verbs.h"

namespace orderd::saga {
namespace {

class Decider final : public Verbs {
 public:
  Decider(const Facts& facts, Saga saga, Time now) : Verbs(facts, std::move(saga), now) {}
  Decision take(const Input& input) {
    std::visit([this](const auto& one) { on(one); }, input);
    if (saga_.mode == Mode::finished && saga_.recheck_requested_at != Time{}) recheck();
    return std::move(out_);
  }
};

}  // namespace

std::optional<Time> wake_time(const Facts& facts, const Saga& saga, bool held) {
  if (!saga.open || saga.stuck || saga.mode == Mode::finished || saga.open->phase == CommandPhase::sent)
    return std::nullopt;
  std::optional<Time> time;
  if (!held) time = saga.open->next;
  for (const auto& other : {total_deadline(facts, saga), extension_due(facts, saga)})
    if (other) time = std::min(time.value_or(*other), *other);
  return time;
}

Decision decide(const Facts& facts, Saga saga, const Input& input, Time now) {
  return Decider(facts, std::move(saga), now).take(input);
}

}  // namespace orderd::saga
