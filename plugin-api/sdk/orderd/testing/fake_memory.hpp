// Inside fake_host.hpp: what it remembers, and its judgement of completions.
#ifndef ORDERD_TESTING_FAKE_MEMORY_HPP
#define ORDERD_TESTING_FAKE_MEMORY_HPP

#include "fake_host.hpp"

namespace orderd::testing {

inline orderd_ticket FakeHost::open(bool query) {
  static std::atomic<std::uint64_t> last{1000};
  const std::uint64_t generation = ++last;
  std::lock_guard lock(mutex_);
  tickets_[generation].query = query;
  return {generation % 64, generation};
}

inline std::optional<sdk::Outcome> FakeHost::wait(orderd_ticket ticket, std::int64_t patience_ms) {
  std::unique_lock lock(mutex_);
  Open& open = tickets_.at(ticket.generation);
  completed_.wait_for(lock, std::chrono::milliseconds(patience_ms), [&] { return open.outcome.has_value(); });
  return open.outcome;
}

inline bool FakeHost::give_up(orderd_ticket ticket) {
  std::lock_guard lock(mutex_);
  Open& open = tickets_.at(ticket.generation);
  open.given_up = true;
  return !open.outcome;
}

inline std::vector<std::string> FakeHost::violations() const {
  std::lock_guard lock(mutex_);
  return violations_;
}
inline void FakeHost::violation(const std::string& what) {
  std::lock_guard lock(mutex_);
  if (std::find(violations_.begin(), violations_.end(), what) == violations_.end())
    violations_.push_back(what);
}
inline std::vector<LogLine> FakeHost::log() const {
  std::lock_guard lock(mutex_);
  return log_;
}
inline std::map<std::string, std::int64_t> FakeHost::metrics() const {
  std::lock_guard lock(mutex_);
  return {metrics_.begin(), metrics_.end()};
}

inline void FakeHost::stopped() {
  http.end();  // a done() that comes now may still complete its command
  timers_.end();
  phase = Phase::stopped;
}

/// What the host lets pass, and its author should know.
inline std::string FakeHost::slip(const orderd_outcome& given) const {
  const bool state = (given.flags & ORDERD_OUTCOME_HAS_STATE) != 0;
  if (state && state_versions &&
      (given.state_version < state_versions->first || given.state_version > state_versions->second))
    return "its state has version " + std::to_string(given.state_version) +
           ", which its traits say it cannot read";
  return outcome_slip(given);
}

inline orderd_status FakeHost::complete(orderd_ticket ticket, const orderd_outcome* given) {
  if (before_completion) before_completion();
  const bool late = phase == Phase::stopped;
  std::unique_lock lock(mutex_);
  const auto found = tickets_.find(ticket.generation);
  std::string problem;
  orderd_status answer = ORDERD_OK;
  if (found == tickets_.end() || ticket.slot != ticket.generation % 64)
    problem = "it completed a ticket that the host never gave out", answer = ORDERD_E_STALE;
  else if (late)
    problem = "it completed a command after stop() had returned", answer = ORDERD_E_STALE;
  else if (found->second.outcome)
    problem = "it completed a command twice", answer = ORDERD_E_STALE;
  else if (found->second.given_up)
    answer = ORDERD_E_STALE;  // its right: nobody waits any more
  else if (problem = outcome_problem(given, found->second.query); !problem.empty())
    problem = "its outcome makes no sense: " + problem, answer = ORDERD_E_INVALID;
  else
    problem = slip(*given);
  if (answer != ORDERD_E_STALE)
    found->second.outcome = answer == ORDERD_OK ? copy_of(*given) : sdk::Outcome::unknown("GARBAGE", problem);
  completed_.notify_all();
  lock.unlock();
  if (!problem.empty()) violation(problem);
  return answer;
}

}  // namespace orderd::testing
#endif
